"""Recordings: a real one, which lies beside the repository, and drawn ones."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

REAL = Path(__file__).parents[4] / "shared" / "data" / "realsense" / "test_rs.bag"


@pytest.fixture(scope="session")
def real() -> Path:
    """A recording of a D435: six frames of depth, then five of colour."""
    if not REAL.is_file():
        pytest.skip(f"{REAL} is missing: the recording is not part of the repository")
    return REAL


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording with both at once."""
    from virtual_realsense import record

    file = tmp_path_factory.mktemp("drawn") / "camera.db3"
    record(file)
    return file


@pytest.fixture(scope="session")
def fine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording whose unit of depth is a tenth of a millimetre, as the D405's."""
    from virtual_realsense import record

    file = tmp_path_factory.mktemp("fine") / "camera.db3"
    record(file, unit_m=0.0001)
    return file

"""Files of a small Eagle in a folder; `tiny_groot` is importable, for test folders are no packages."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_groot import write_tiny_assets

    folder = tmp_path_factory.mktemp("eagle")
    write_tiny_assets(folder)
    return folder


@pytest.fixture(scope="session")
def vlm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of a small Qwen3-VL."""
    from tiny_groot_n17 import write_tiny_assets

    folder = tmp_path_factory.mktemp("qwen3_vl") / "files"
    write_tiny_assets(folder)
    return folder

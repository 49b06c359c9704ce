"""A small CLIP in a folder; `tiny_clip` is importable, for test folders are no packages."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_clip import write_tiny_clip

    folder = tmp_path_factory.mktemp("clip")
    write_tiny_clip(folder)
    return folder

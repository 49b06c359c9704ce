"""A small vision-language model in a folder; `tiny_smolvlm` is importable, for test folders are no packages."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def vlm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_smolvlm import write_tiny_smolvlm

    folder = tmp_path_factory.mktemp("smolvlm")
    write_tiny_smolvlm(folder)
    return folder

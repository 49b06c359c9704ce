"""A small tokenizer in a folder; `tiny_pi` is importable, for test folders are no packages."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_pi import write_tiny_tokenizer

    folder = tmp_path_factory.mktemp("paligemma")
    write_tiny_tokenizer(folder)
    return folder

"""A small tokenizer in a folder; `tiny_xvla` is importable, for test folders are no packages."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_xvla import write_tiny_bart_tokenizer

    folder = tmp_path_factory.mktemp("bart")
    write_tiny_bart_tokenizer(folder)
    return folder

"""Small tokenizers in folders; `tiny_pi` is importable, for test folders are no packages."""

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


@pytest.fixture(scope="session")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_pi import write_tiny_codec

    folder = tmp_path_factory.mktemp("fast")
    write_tiny_codec(folder)
    return folder

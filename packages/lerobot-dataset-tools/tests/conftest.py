"""The recordings that the library's tests make, for the tests of whole datasets."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "lerobot-datasets/tests"


def _load(path: Path, name: str) -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[name]


@pytest.fixture(scope="session")
def library() -> Iterator[ModuleType]:
    """Datasets written file by file, whose images show their number."""
    yield from _load(LIBRARY / "conftest.py", "library_kit")


@pytest.fixture(scope="session")
def kit() -> Iterator[ModuleType]:
    """Watermarked recordings, and an independent way to read them back."""
    yield from _load(LIBRARY / "writer/conftest.py", "writer_kit")


@pytest.fixture(scope="session")
def make_dataset(library: ModuleType) -> Callable[..., Path]:
    return library.write_dataset


@pytest.fixture(scope="session")
def number_of(library: ModuleType) -> Callable[[np.ndarray], int]:
    return library.image_number

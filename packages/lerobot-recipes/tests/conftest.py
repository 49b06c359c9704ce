"""Miniatures of published datasets in their layouts, and an independent way to read what they became."""

import contextlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lerobot.core.registry import registry
from lerobot.dataset_tools.conversion.convert import import_dataset
from lerobot.dataset_tools.verification.verify import verify_dataset

ROOT = Path(__file__).resolve().parents[3]
TOOLS = ROOT / "packages/lerobot-dataset-tools/tests/conversion"


@pytest.fixture(scope="session")
def rlds() -> Iterator[ModuleType]:
    """The writer of TFRecord files that the importer's own tests have, byte by byte."""
    yield from _load(TOOLS / "test_rlds.py", "rlds_kit")


@pytest.fixture(scope="session")
def reader() -> Iterator[ModuleType]:
    """Reads datasets with pyarrow and PyAV alone."""
    yield from _load(TOOLS / "conftest.py", "reading_kit")


def _load(path: Path, name: str) -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[name]


@pytest.fixture
def shared() -> Path:
    folder = ROOT.parent / "shared/data/rlds_mini"
    if not folder.is_dir():
        pytest.skip("the recordings beside the repository are not here")
    return folder


@pytest.fixture(scope="session")
def write_rlds(rlds: ModuleType) -> Any:
    """Write a version folder as TensorFlow Datasets does, described from the values: one record an episode."""

    def write(
        folder: Path, name: str, episodes: list[dict[str, Any]], *, shards: int = 1, description: Any = None
    ) -> Path:
        folder.mkdir(parents=True)
        parts = [episodes[part::shards] for part in range(shards)]
        for number, part in enumerate(parts):
            content = b"".join(rlds.record(rlds.example(_encoded(rlds, values))) for values in part)
            (folder / f"{name}-train.tfrecord-{number:05d}-of-{shards:05d}").write_bytes(content)
        features = description or _described(rlds, episodes[0])
        (folder / "features.json").write_text(json.dumps(features))
        split = {"name": "train", "shardLengths": [str(len(part)) for part in parts]}
        split["filepathTemplate"] = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
        info = {"name": name, "fileFormat": "tfrecord", "splits": [split]}
        (folder / "dataset_info.json").write_text(json.dumps(info))
        return folder

    return write


def _is_images(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 4 and value.dtype == np.uint8


def _encoded(rlds: ModuleType, values: dict[str, Any]) -> dict[str, Any]:
    return {key: [rlds.png(image) for image in value] if _is_images(value) else value for key, value in values.items()}


def _described(rlds: ModuleType, values: dict[str, Any]) -> dict[str, Any]:
    """`features.json` of an episode; the names of steps begin with `steps/`, and a list holds bytes."""
    top: dict[str, Any] = {}
    steps: dict[str, Any] = {}
    for key, value in values.items():
        of_step = key.startswith("steps/")
        if _is_images(value):
            shape = {"dimensions": [str(size) for size in value.shape[1:]]}
            feature = {"image": {"shape": shape, "dtype": "uint8", "encodingFormat": "png"}}
        elif isinstance(value, list):
            feature = rlds.tensor("string")
        else:
            array = np.asarray(value)
            feature = rlds.tensor(array.dtype.name, *(array.shape[1:] if of_step else array.shape))
        node = steps if of_step else top
        *folders, last = key.removeprefix("steps/").split("/")
        for folder in folders:
            node = node.setdefault(folder, rlds.group({}))["featuresDict"]["features"]
        node[last] = feature
    return rlds.group({**top, "steps": {"sequence": {"feature": rlds.group(steps), "length": "-1"}}})


@pytest.fixture
def convert(tmp_path: Path, reader: ModuleType) -> Any:
    """Import a dataset by its recipe into a new folder, verify it and read it back."""

    def run(type_: str, path: Path | str, *, task: str | None = None, video: bool = False, **options: Any) -> Any:
        root = tmp_path / f"set_{len(list(tmp_path.glob('set_*')))}"
        with contextlib.closing(opened(type_, path, **options)) as source:
            import_dataset(source, root, task=task, video=video)
        assert [each for each in verify_dataset(root) if each.severity == "error"] == []
        return reader.read(root)

    return run


def opened(type_: str, path: Path | str, **options: Any) -> Any:
    return registry.config_class("dataset_format", type_)(path=str(path), **options).build()


@pytest.fixture
def kit() -> SimpleNamespace:
    """The functions of this file, for test modules that cannot import it."""
    return SimpleNamespace(opened=opened, columns=columns, images=images, steps=steps)


def columns(type_: str, path: Path | str, **options: Any) -> dict[str, Any]:
    """What the frames of a dataset hold, by feature, without writing it."""
    with contextlib.closing(opened(type_, path, **options)) as source:
        names = [field.name for field in source.fields]
        frames = [frame for episode in range(len(source.episodes)) for frame in source.frames(episode, names)]
    return {name: np.stack([np.asarray(frame[name]) for frame in frames]) for name in names}


def images(rng: np.random.Generator, length: int, height: int = 16, width: int = 16) -> Any:
    return rng.integers(0, 256, (length, height, width, 3), np.uint8)


def steps(rlds_values: dict[str, Any], length: int) -> dict[str, Any]:
    """Values of the steps of an episode with what every RLDS step has."""
    step = np.arange(length)
    always = {"reward": (step == length - 1).astype("f4"), "discount": np.ones(length, "f4")}
    flags = {"is_first": step == 0, "is_last": step == length - 1, "is_terminal": step == length - 1}
    return {f"steps/{key}": value for key, value in {**rlds_values, **always, **flags}.items()}

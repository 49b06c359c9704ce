"""Imports through the command line's configuration, and results read with pyarrow and PyAV alone."""

import contextlib
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot.core.errors import LeRobotError
from lerobot.core.registry import registry
from lerobot.dataset_tools.conversion.convert import import_dataset
from lerobot.dataset_tools.conversion.plan import ImportPlan

ROOT = Path(__file__).resolve().parents[4]


def open_source(name: str, path: Path, **options: Any) -> Any:
    return registry.config_class("dataset_format", name)(path=path, **options).build()


def convert(name: str, path: Path, root: Path, *, source_options: dict[str, Any] | None = None, **options: Any) -> Any:
    """Import a source; the rate and the task are not what most tests are about."""
    source = open_source(name, path, **(source_options or {}))
    try:
        return import_dataset(source, root, **{"fps": 10, "task": "do it", "video": False, **options})
    finally:
        source.close()


def read_info(root: Path) -> dict[str, Any]:
    info: dict[str, Any] = json.loads((root / "meta/info.json").read_text())
    return info


def read(root: Path) -> SimpleNamespace:
    """Everything of a dataset: `info`, `columns` by name, `tasks` by row, `lengths` by episode."""
    info = read_info(root)
    table = pa.concat_tables([pq.read_table(path) for path in sorted(root.glob("data/*/*.parquet"))])
    episodes = pa.concat_tables([pq.read_table(path) for path in sorted(root.glob("meta/episodes/*/*.parquet"))])
    names = pq.read_table(root / "meta/tasks.parquet").column("task").to_pylist()
    columns = {}
    for key, feature in info["features"].items():
        if feature["dtype"] == "image":
            rows = [np.asarray(PIL.Image.open(io.BytesIO(row["bytes"]))) for row in table.column(key).to_pylist()]
            columns[key] = np.stack(rows)
        elif feature["dtype"] == "string":
            columns[key] = table.column(key).to_pylist()
        elif feature["dtype"] != "video":
            columns[key] = np.array(table.column(key).to_pylist(), feature["dtype"])
    return SimpleNamespace(
        info=info,
        features=info["features"],
        columns=columns,
        tasks=[names[index] for index in table.column("task_index").to_pylist()],
        lengths=episodes.column("length").to_pylist(),
    )


def images(root: Path, key: str) -> np.ndarray:
    """All decoded frames of a camera stored as video, (N, H, W, 3) uint8."""
    frames = []
    for path in sorted(root.glob(f"videos/{key}/*/*.mp4")):
        with av.open(str(path)) as container:
            frames += [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return np.stack(frames)


def flip_and_read(source: str, path: Path, flipped: Path, times: int) -> None:
    """Damage a file in many ways and read the source each time: it is refused as a `LeRobotError`, or read."""
    rng = np.random.default_rng(0)
    whole = flipped.read_bytes()
    for _ in range(times):
        content = bytearray(whole)
        for place in rng.integers(0, len(whole), rng.choice([1, 3, 20])):
            content[place] = rng.integers(256)
        flipped.write_bytes(content[: rng.integers(1, len(whole))] if rng.random() < 0.2 else content)
        with contextlib.suppress(LeRobotError), contextlib.closing(open_source(source, path)) as opened:
            plan = ImportPlan(opened.fields)
            for episode in range(len(opened.episodes)):
                for frame in opened.frames(episode, plan.fields):
                    plan.frame(frame)


@pytest.fixture
def kit() -> SimpleNamespace:
    """The functions of this file, for test modules that cannot import it."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if not name.startswith("_")})


@pytest.fixture
def shared() -> Path:
    folder = ROOT.parent / "shared/data"
    if not folder.is_dir():
        pytest.skip("the recordings beside the repository are not here")
    return folder

"""Random legal declarations of features go all the way: recorded, read, merged, trained on and exported."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lerobot.core.config import load
from lerobot.dataset_tools.edit.selection import merge
from lerobot.dataset_tools.verification import verify_dataset
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.format.features import NUMERIC_DTYPES
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.policies.commands.export import ExportConfig
from lerobot.policies.export.command import export_command
from lerobot.training.command import train
from lerobot.training.commands.train import TrainPipelineConfig

STATE, ACTION = "observation.state", "action"
CODING = 12.0
"""Levels of 255 that coding may change an image of smooth colours by, on average."""
SMALL_ACT = (
    "--policy.type=act",
    "--policy.device=cpu",
    "--policy.push_to_hub=false",
    "--policy.dim_model=16",
    "--policy.n_heads=2",
    "--policy.dim_feedforward=16",
    "--policy.n_encoder_layers=1",
    "--policy.n_vae_encoder_layers=1",
    "--policy.chunk_size=4",
    "--policy.n_action_steps=4",
    "--policy.vision_backbone=resnet8",
    "--policy.pretrained_backbone_weights=null",
    "--num_workers=0",
    "--batch_size=2",
    "--steps=2",
)


@dataclass(frozen=True)
class Schema:
    """Features and what is recorded of them."""

    features: dict[str, dict[str, Any]]
    fps: float
    lengths: list[int]
    seed: int


@st.composite
def vectors(draw: st.DrawFn, dtypes: list[str], dimensions: int) -> dict[str, Any]:
    shape = tuple(draw(st.lists(st.integers(1, 7), min_size=1, max_size=dimensions)))
    named = len(shape) == 1 and draw(st.booleans())
    return {
        "dtype": draw(st.sampled_from(dtypes)),
        "shape": shape,
        "names": [f"j{i}" for i in range(shape[0])] if named else None,
    }


@st.composite
def cameras(draw: st.DrawFn, smallest: int) -> dict[str, Any]:
    dtype, depth = draw(st.sampled_from(["video", "image"])), draw(st.booleans())
    # The encoder of depth takes no image smaller than a block of its own.
    side = st.integers(max(smallest, 33 if depth and dtype == "video" else 1), 75)
    camera = {
        "dtype": dtype,
        "shape": (draw(side), draw(side), 1 if depth else 3),
        "names": ["height", "width", "channels"],
    }
    return camera | ({"info": {"is_depth_map": True}} if depth else {})


@st.composite
def schemas(draw: st.DrawFn, *, trains: bool) -> Schema:
    name = st.text(st.characters(categories=["L", "N"], include_characters="._- "), min_size=1, max_size=9)
    extra = st.dictionaries(name.map("extra.{}x".format), vectors(sorted(NUMERIC_DTYPES), 3), max_size=3)
    kinds = ["float32", "float64"]
    features = {STATE: draw(vectors(kinds, 1)), ACTION: draw(vectors(kinds, 1)), **draw(extra)}
    if draw(st.booleans()):
        features["note"] = {"dtype": "string", "shape": (1,), "names": None}
    for number in range(draw(st.integers(0, 2))):
        features[f"observation.images.c{number}"] = draw(cameras(1))
    if trains:
        colour = {"dtype": draw(st.sampled_from(["video", "image"])), "names": ["height", "width", "channels"]}
        features = {key: f for key, f in features.items() if f["dtype"] not in ("video", "image")}
        size = draw(st.tuples(st.integers(33, 75), st.integers(33, 75)))
        features["observation.images.top"] = {**colour, "shape": (*size, 3)}
    rates, lengths = st.sampled_from([5, 10, 29.97, 30, 50]), st.lists(st.integers(1, 5), min_size=1, max_size=3)
    return Schema(features, draw(rates), draw(lengths), draw(st.integers(0, 2**32)))


def value(random: np.random.Generator, feature: dict[str, Any]) -> Any:
    """A value of a feature; images are ramps, which every codec keeps about."""
    dtype, shape = feature["dtype"], feature["shape"]
    if dtype == "string":
        return f"note {random.integers(1000)} ä"
    if dtype in ("video", "image") and shape[2] == 1:
        return random.integers(100, 9000, shape).astype(np.uint16)
    if dtype in ("video", "image"):
        ramp = np.linspace(0, 100, shape[0])[:, None, None] + np.linspace(0, 100, shape[1])[:, None]
        return (ramp * np.ones(3) + random.integers(0, 50)).astype(np.uint8)
    if np.dtype(dtype).kind in "iu":
        limits = np.iinfo(dtype)
        # Frames hold whole numbers as int64, so larger ones are refused when they are recorded.
        return random.integers(limits.min, min(limits.max, 2**63 - 1), shape, dtype, endpoint=True)
    return (random.integers(0, 2, shape) if dtype == "bool" else random.normal(size=shape)).astype(dtype)


def record(schema: Schema, root: Path) -> list[dict[str, Any]]:
    """Record; gives the frames."""
    random, frames = np.random.default_rng(schema.seed), []
    dataset = LeRobotDataset.create("t/any", schema.fps, schema.features, root=root)
    for length in schema.lengths:
        for _ in range(length):
            frames.append({key: value(random, feature) for key, feature in schema.features.items()})
            dataset.add_frame({**frames[-1], "task": "do it"})
        dataset.save_episode()
    dataset.finalize()
    return frames


def check_value(key: str, feature: dict[str, Any], read: Any, wanted: Any) -> None:
    """What is read is what was recorded: exactly, but for what coding of video costs."""
    if feature["dtype"] == "string":
        assert read == wanted, key
        return
    if feature["dtype"] == "video":
        shown = np.asarray(read, np.float64)
        assert shown.shape == wanted.shape, key
        largest = CODING if feature["shape"][2] == 3 else 0.01 * 9000
        assert np.abs(shown - wanted).mean() <= largest, key
        return
    exact = wanted if feature["dtype"] == "image" else as_read(wanted)
    np.testing.assert_array_equal(np.reshape(read, wanted.shape), exact, err_msg=key)


def as_read(values: np.ndarray) -> np.ndarray:
    """Numbers in the types of frames: single precision and int64."""
    kinds: dict[str, Any] = {"f": np.float32, "i": np.int64, "u": np.int64}
    return values.astype(kinds[values.dtype.kind]) if values.dtype.kind in kinds else values


def check_files(schema: Schema, root: Path, frames: list[dict[str, Any]]) -> None:
    """The files hold every number as it was recorded, in its own type."""
    table = pa.concat_tables([pq.read_table(path) for path in sorted(root.glob("data/*/*.parquet"))])
    for key, feature in schema.features.items():
        if feature["dtype"] in NUMERIC_DTYPES:
            stored = np.array(table.column(key).to_pylist(), feature["dtype"])
            wanted = np.stack([frame[key] for frame in frames])
            np.testing.assert_array_equal(stored.reshape(wanted.shape), wanted, err_msg=key)


def check_rows(schema: Schema, root: Path, frames: list[dict[str, Any]]) -> None:
    for row, wanted in zip(LeRobotDataset("t/any", root).read_arrays(range(len(frames))), frames, strict=True):
        for key, feature in schema.features.items():
            check_value(key, feature, row[key], wanted[key])


def check_windows(schema: Schema, root: Path, frames: list[dict[str, Any]]) -> None:
    """The frame before, this one and the one after, within the episode."""
    numeric = [key for key, feature in schema.features.items() if feature["dtype"] in NUMERIC_DTYPES]
    cameras = [key for key, feature in schema.features.items() if feature["dtype"] in ("video", "image")]
    steps = {key: [-1 / schema.fps, 0.0, 1 / schema.fps] for key in (*numeric, *cameras)}
    dataset = LeRobotDataset("t/any", root, delta_timestamps=steps)
    first = 0
    for length in schema.lengths:
        for frame in {0, length - 1}:
            item = dataset[first + frame]
            places = [first + min(max(frame + step, 0), length - 1) for step in (-1, 0, 1)]
            for key in numeric:
                wanted = np.stack([frames[place][key] for place in places])
                np.testing.assert_array_equal(item[key].numpy().reshape(wanted.shape), as_read(wanted), err_msg=key)
            for key in cameras:
                height, width, channels = schema.features[key]["shape"]
                assert tuple(item[key].shape) == (3, channels, height, width)
        first += length


def check_statistics(schema: Schema, root: Path, frames: list[dict[str, Any]]) -> None:
    stats = LeRobotDatasetMetadata("t/any", root).stats
    for key, feature in schema.features.items():
        if feature["dtype"] in NUMERIC_DTYPES:
            # The format has one number for each place on the last axis.
            values = np.stack([frame[key] for frame in frames]).reshape(-1, feature["shape"][-1]).astype(np.float64)
            for name in ("min", "max"):
                np.testing.assert_array_equal(np.ravel(stats[key][name]), getattr(values, name)(axis=0), err_msg=key)
        elif feature["dtype"] != "string":
            assert np.shape(stats[key]["mean"]) == (feature["shape"][2], 1, 1), key
    assert [str(finding) for finding in verify_dataset(root) if finding.severity == "error"] == []
    assert [str(f) for f in verify_dataset(root, pictures=False) if f.check == "statistics"] == []


def go_through(schema: Schema, folder: Path) -> Path:
    """Create, record, read, windows, statistics, merge."""
    frames = record(schema, folder / "one")
    check_files(schema, folder / "one", frames)
    check_rows(schema, folder / "one", frames)
    check_windows(schema, folder / "one", frames)
    check_statistics(schema, folder / "one", frames)
    merge([folder / "one", folder / "one"], folder / "two")
    check_files(schema, folder / "two", [*frames, *frames])
    check_rows(schema, folder / "two", [*frames, *frames])
    return folder / "two"


def train_and_export(root: Path, folder: Path) -> None:
    data = (f"--dataset.root={root}", "--dataset.repo_id=t/any")
    assert train(load(TrainPipelineConfig, [*data, *SMALL_ACT, f"--output_dir={folder / 'run'}"]).config) == 0
    trained = f"--policy.path={folder / 'run/checkpoints/last/pretrained_model'}"
    target = (f"--output_dir={folder / 'exported'}", "--formats=[pt2]")
    assert export_command(load(ExportConfig, [*data, trained, *target]).config) in (0, None)
    assert any((folder / "exported").iterdir())


def examples(count: int) -> settings:
    """Without shrinking, which would take minutes and needs no less than what failed."""
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@examples(10)
@given(schema=schemas(trains=False))
def test_ten_schemas_keep_every_value(schema: Schema) -> None:
    with tempfile.TemporaryDirectory() as folder:
        go_through(schema, Path(folder))


@examples(1)
@given(schema=schemas(trains=True))
def test_a_schema_trains_and_is_exported(schema: Schema) -> None:
    with tempfile.TemporaryDirectory() as folder:
        train_and_export(go_through(schema, Path(folder)), Path(folder))


@pytest.mark.slow
@examples(100)
@given(schema=schemas(trains=False))
def test_a_hundred_schemas_keep_every_value(schema: Schema) -> None:
    with tempfile.TemporaryDirectory() as folder:
        go_through(schema, Path(folder))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@examples(100)
@given(schema=schemas(trains=True))
def test_a_hundred_schemas_train_and_are_exported(schema: Schema) -> None:
    with tempfile.TemporaryDirectory() as folder:
        train_and_export(go_through(schema, Path(folder)), Path(folder))

"""Datasets written file by file, without the package's own writer, whose images show their number."""

import json
import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

# Nothing here leaves the computer; tests of the Hub talk to a stand-in, in a process of their own.
os.environ["HF_HUB_OFFLINE"] = "1"

BITS, BLOCK = 12, 16
CAMERA = "observation.images.cam"


def numbered_image(number: int) -> np.ndarray:
    """(32, 192, 3) uint8: one white or black block per bit, lowest first."""
    bits = (number >> np.arange(BITS)) & 1
    row = np.repeat(bits * 255, BLOCK).astype(np.uint8)
    return np.broadcast_to(row[None, :, None], (32, BITS * BLOCK, 3)).copy()


def image_number(image: np.ndarray) -> int:
    """The number a decoded image shows; accepts (H, W, C) and (C, H, W)."""
    image = np.asarray(image, np.float64)
    plane = image[..., 0] if image.shape[-1] == 3 else image[0]
    blocks = plane.reshape(plane.shape[0], BITS, BLOCK).mean(axis=(0, 2))
    return int(((blocks > blocks.max() / 2) << np.arange(BITS)).sum()) if blocks.max() > 0.3 else 0


def encode(
    path: Path,
    numbers: Sequence[int],
    rate: Fraction | int = 10,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    first_pts: int = 0,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = BITS * BLOCK, 32, "yuv420p"
        stream.options = {"g": "2", **(options or {})}
        for k, number in enumerate(numbers):
            frame = av.VideoFrame.from_ndarray(numbered_image(number), format="rgb24")
            frame.pts = k + first_pts
            frame.time_base = 1 / Fraction(rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_dataset(
    root: Path,
    lengths: Sequence[int],
    *,
    fps: float = 10,
    per_file: int = 2,
    video: bool = False,
    version: str = "v3.0",
    group_rows: int | None = None,
) -> Path:
    """`observation.state` of frame i is (i, -i), `action` is i; image i shows i; tasks alternate between two."""
    legacy = version.startswith("v2")
    per_file = 1 if legacy else per_file
    features: dict[str, Any] = {
        "observation.state": {"dtype": "float32", "shape": [2], "names": ["a", "b"]},
        "action": {"dtype": "float64", "shape": [1], "names": None},
    }
    if video:
        names = ["height", "width", "channels"]
        features[CAMERA] = {"dtype": "video", "shape": [32, BITS * BLOCK, 3], "names": names}
    for key, dtype in {"timestamp": "float32", "frame_index": "int64", "episode_index": "int64"}.items():
        features[key] = {"dtype": dtype, "shape": [1], "names": None}
    features |= {key: {"dtype": "int64", "shape": [1], "names": None} for key in ("index", "task_index")}
    ends = np.cumsum(lengths)
    starts = ends - lengths
    rows = []
    for first in range(0, len(lengths), per_file):
        chosen = range(first, min(first + per_file, len(lengths)))
        file = first // per_file
        index = np.arange(starts[chosen[0]], ends[chosen[-1]])
        episode = np.repeat(chosen, [lengths[e] for e in chosen])
        frame = index - starts[episode]
        table = pa.table(
            {
                "observation.state": pa.array(
                    np.stack([index, -index], 1).astype("f4").tolist(), pa.list_(pa.float32())
                ),
                "action": index.astype("f8"),
                "timestamp": (frame / fps).astype("f4"),
                "frame_index": frame,
                "episode_index": episode,
                "index": index,
                "task_index": episode % 2,
            }
        )
        name = f"data/chunk-000/episode_{file:06d}.parquet" if legacy else f"data/chunk-000/file-{file:03d}.parquet"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, root / name, row_group_size=group_rows)
        if video:
            folder = f"videos/chunk-000/{CAMERA}/episode_{file:06d}.mp4"
            folder = folder if legacy else f"videos/{CAMERA}/chunk-000/file-{file:03d}.mp4"
            encode(root / folder, index.tolist(), Fraction(fps).limit_denominator(10000))
        rows += [
            {
                "episode_index": e,
                "tasks": [f"task {e % 2}"],
                "length": lengths[e],
                "data/chunk_index": 0,
                "data/file_index": file,
                "dataset_from_index": int(starts[e]),
                "dataset_to_index": int(ends[e]),
                f"videos/{CAMERA}/chunk_index": 0,
                f"videos/{CAMERA}/file_index": file,
                f"videos/{CAMERA}/from_timestamp": float((starts[e] - starts[chosen[0]]) / fps),
                f"videos/{CAMERA}/to_timestamp": float((ends[e] - starts[chosen[0]]) / fps),
            }
            for e in chosen
        ]
    info: dict[str, Any] = {
        "codebase_version": version,
        "fps": fps,
        "features": features,
        "total_episodes": len(lengths),
        "total_frames": int(sum(lengths)),
        "total_tasks": 2,
        "chunks_size": 1000,
        "robot_type": None,
        "splits": {"train": f"0:{len(lengths)}"},
    }
    (root / "meta").mkdir(parents=True, exist_ok=True)
    if legacy:
        info["data_path"] = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
        info["video_path"] = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"
        keys = ("episode_index", "tasks", "length")
        (root / "meta/episodes.jsonl").write_text(
            "".join(json.dumps({key: row[key] for key in keys}) + "\n" for row in rows)
        )
        tasks = [{"task_index": i, "task": f"task {i}"} for i in range(2)]
        (root / "meta/tasks.jsonl").write_text("".join(json.dumps(task) + "\n" for task in tasks))
    else:
        info["data_path"] = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
        info["video_path"] = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
        (root / "meta/episodes/chunk-000").mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows), root / "meta/episodes/chunk-000/file-000.parquet")
        pq.write_table(pa.table({"task_index": [0, 1], "task": ["task 0", "task 1"]}), root / "meta/tasks.parquet")
    (root / "meta/info.json").write_text(json.dumps(info))
    return root


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., Path]:
    return write_dataset


@pytest.fixture(scope="session")
def make_video() -> Callable[..., None]:
    return encode


@pytest.fixture(scope="session")
def number_of() -> Callable[[np.ndarray], int]:
    return image_number

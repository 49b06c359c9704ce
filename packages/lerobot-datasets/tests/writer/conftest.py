"""A recording whose every value tells where it belongs, and an independent way to read it back.

The images carry their camera, episode and frame number as a code of black and white blocks, which every codec keeps.
Reading uses pyarrow and PyAV directly, none of the package's own readers.
"""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import PIL.Image
import pyarrow.parquet as pq
import pytest

BLOCK = 16
HEIGHT, WIDTH = 4 * BLOCK, 6 * BLOCK
FEATURES = {
    "observation.state": {"dtype": "float32", "shape": (3,), "names": ["a", "b", "c"]},
    "action": {"dtype": "float32", "shape": (3,), "names": ["a", "b", "c"]},
    "observation.images.left": {
        "dtype": "video",
        "shape": (HEIGHT, WIDTH, 3),
        "names": ["height", "width", "channels"],
    },
    "observation.images.right": {
        "dtype": "video",
        "shape": (HEIGHT, WIDTH, 3),
        "names": ["height", "width", "channels"],
    },
}
CAMERAS = ["observation.images.left", "observation.images.right"]


def watermark(camera: int, episode: int, frame: int) -> np.ndarray:
    """An image of 24 blocks: 2 bits camera, 8 bits episode, 14 bits frame."""
    number = camera << 22 | episode << 14 | frame
    bits = np.array([number >> i & 1 for i in range(24)], np.uint8).reshape(4, 6) * 255
    return np.repeat(np.kron(bits, np.ones((BLOCK, BLOCK), np.uint8))[..., None], 3, axis=2)


def read_watermark(image: np.ndarray) -> tuple[int, int, int]:
    blocks = image[..., 0].reshape(4, BLOCK, 6, BLOCK).mean(axis=(1, 3)).ravel() > 127
    number = sum(int(bit) << i for i, bit in enumerate(blocks))
    return number >> 22, number >> 14 & 255, number & 0x3FFF


def frame(episode: int, number: int, features=FEATURES) -> dict:
    state = np.array([episode, number, episode * 1000 + number], np.float32)
    values = {"observation.state": state, "action": -state, "task": f"task {episode % 3}"}
    for camera, key in enumerate(key for key in features if features[key]["dtype"] in ("image", "video")):
        values[key] = watermark(camera, episode, number)
    return values


@dataclass
class Episode:
    rows: list[dict]
    images: dict[str, list[tuple[int, int, int]]]
    task: str


def read_dataset(root: Path) -> list[Episode]:
    """Every committed episode, read the way any reader of the format would: tables by name, images by time."""
    info = json.loads((root / "meta/info.json").read_text())
    if not info["total_episodes"]:
        return []
    episodes = [
        row for path in sorted((root / "meta/episodes").glob("*/*.parquet")) for row in pq.read_table(path).to_pylist()
    ]
    rows = [row for path in sorted((root / "data").glob("*/*.parquet")) for row in pq.read_table(path).to_pylist()]
    tasks = pq.read_table(root / "meta/tasks.parquet").column("task").to_pylist()
    assert [row["index"] for row in rows[: info["total_frames"]]] == list(range(info["total_frames"]))
    decoded: dict[Path, list] = {}
    result = []
    for number, episode in enumerate(episodes[: info["total_episodes"]]):
        assert episode["episode_index"] == number
        own = rows[episode["dataset_from_index"] : episode["dataset_to_index"]]
        assert len(own) == episode["length"]
        assert {row["episode_index"] for row in own} == {number}
        images = {}
        for key, feature in info["features"].items():
            if feature["dtype"] == "image":
                stored = [PIL.Image.open(io.BytesIO(row[key]["bytes"])) for row in own]
                images[key] = [read_watermark(np.asarray(image)) for image in stored]
            if feature["dtype"] != "video":
                continue
            place = {name: episode[f"videos/{key}/{name}"] for name in ("chunk_index", "file_index")}
            path = root / info["video_path"].format(video_key=key, **place)
            if path not in decoded:
                with av.open(str(path)) as container:
                    base = container.streams.video[0].time_base
                    decoded[path] = [
                        (float(image.pts * base), read_watermark(image.to_ndarray(format="rgb24")))
                        for image in container.decode(video=0)
                    ]
            times = np.array([time for time, _ in decoded[path]])
            wanted = episode[f"videos/{key}/from_timestamp"] + np.array([row["timestamp"] for row in own])
            nearest = np.abs(times[:, None] - wanted[None]).argmin(axis=0)
            assert np.abs(times[nearest] - wanted).max() < 1e-4
            images[key] = [decoded[path][i][1] for i in nearest]
        for row in own:
            row["task"] = tasks[row["task_index"]]
        result.append(Episode(own, images, episode["tasks"][0]))
    return result


def check_episode(episode: Episode, label: int) -> None:
    """Every row and every image of an episode recorded as `label` is where it belongs."""
    for number, row in enumerate(episode.rows):
        expected = [label, number, label * 1000 + number]
        assert row["observation.state"] == expected
        assert row["action"] == [-value for value in expected]
        assert row["frame_index"] == number
        assert row["task"] == f"task {label % 3}"
    for camera, (key, found) in enumerate(episode.images.items()):
        assert found == [(camera, label, number) for number in range(len(episode.rows))], key


def check_dataset(root: Path, labels: list[int], lengths: list[int]) -> None:
    """The dataset holds exactly the episodes of these labels and lengths."""
    episodes = read_dataset(root)
    assert [len(episode.rows) for episode in episodes] == lengths
    for episode, label in zip(episodes, labels, strict=True):
        check_episode(episode, label)


def record(recorder, label: int, length: int, features=FEATURES):
    """Add and save one episode."""
    for number in range(length):
        recorder.add_frame(frame(label, number, features))
    return recorder.save_episode()


@pytest.fixture
def kit():
    """The functions of this file, for test modules that cannot import it."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if not name.startswith("_")})

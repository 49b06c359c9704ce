"""Logs that other libraries write, and datasets read with pyarrow alone."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mcap_ros2.writer
import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from lerobot.core.config import load
from lerobot.dataset_tools.commands.convert_dataset import ConvertDatasetConfig
from lerobot.dataset_tools.conversion.command import convert_dataset_command

ROOT = Path(__file__).resolve().parents[3]

HEADER = "std_msgs/Header header"
PARTS = (
    "================================================================================\n"
    "MSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n"
    "================================================================================\n"
    "MSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
)
TYPES = {
    "sensor_msgs/msg/JointState": f"{HEADER}\nstring[] name\nfloat64[] position\nfloat64[] velocity\n"
    f"float64[] effort\n{PARTS}",
    "sensor_msgs/msg/Image": f"{HEADER}\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\n"
    f"uint32 step\nuint8[] data\n{PARTS}",
    "sensor_msgs/msg/CompressedImage": f"{HEADER}\nstring format\nuint8[] data\n{PARTS}",
    "std_msgs/msg/Float64MultiArray": "std_msgs/MultiArrayLayout layout\nfloat64[] data\n"
    "===\nMSG: std_msgs/MultiArrayLayout\nstd_msgs/MultiArrayDimension[] dim\nuint32 data_offset\n"
    "===\nMSG: std_msgs/MultiArrayDimension\nstring label\nuint32 size\nuint32 stride\n",
    "std_msgs/msg/String": "string data\n",
}
"""Definitions as ROS 2 has them, typed anew: what we read is written by somebody else."""


class LogWriter:
    """An MCAP file written by the library of the format's makers."""

    def __init__(self, path: Path, **options: Any) -> None:
        self._file = path.open("wb")
        self._writer = mcap_ros2.writer.Writer(self._file, **options)
        self._schemas: dict[str, Any] = {}

    def __enter__(self) -> "LogWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.finish()
        self._file.close()

    def write(
        self, topic: str, kind: str, message: dict[str, Any], log_time: int, definition: str | None = None
    ) -> None:
        if kind not in self._schemas:
            self._schemas[kind] = self._writer.register_msgdef(kind, definition or TYPES[kind])
        self._writer.write_message(topic, self._schemas[kind], message, log_time=log_time)

    def joints(
        self, topic: str, stamp: int, names: list[str], position: list[float], log_time: int | None = None
    ) -> None:
        message = {"header": header(stamp), "name": names, "position": position, "velocity": [], "effort": []}
        self.write(topic, "sensor_msgs/msg/JointState", message, stamp if log_time is None else log_time)

    def image(self, topic: str, stamp: int, image: np.ndarray, encoding: str, **fields: Any) -> None:
        height, width = image.shape[:2]
        message = {
            "header": header(stamp),
            "height": height,
            "width": width,
            "encoding": encoding,
            "is_bigendian": 0,
            "step": image.nbytes // height,
            "data": image.tobytes(),
            **fields,
        }
        self.write(topic, "sensor_msgs/msg/Image", message, stamp)

    def text(self, topic: str, time: int, text: str) -> None:
        self.write(topic, "std_msgs/msg/String", {"data": text}, time)


def header(stamp: int) -> dict[str, Any]:
    return {"stamp": {"sec": stamp // 10**9, "nanosec": stamp % 10**9}, "frame_id": "base"}


def convert(path: Path, contract: dict[str, Any], root: Path, *words: str) -> None:
    """Run the command with a contract as a file."""
    file = root.parent / f"{root.name}.yaml"
    file.write_text(yaml.safe_dump(contract))
    flags = ["--from=mcap", f"--from.path={path}", f"--from.contract={file}", f"--root={root}", "--video=false"]
    convert_dataset_command(load(ConvertDatasetConfig, [*flags, "--float_type=source", *words], {}).config)


def read(root: Path) -> SimpleNamespace:
    """Everything of a dataset: `info`, `columns` by name, `tasks` by row, `lengths` by episode."""
    info = json.loads((root / "meta/info.json").read_text())
    table = pa.concat_tables([pq.read_table(path) for path in sorted(root.glob("data/*/*.parquet"))])
    episodes = pa.concat_tables([pq.read_table(path) for path in sorted(root.glob("meta/episodes/*/*.parquet"))])
    names = pq.read_table(root / "meta/tasks.parquet").column("task").to_pylist()
    columns: dict[str, Any] = {}
    for key, feature in info["features"].items():
        if feature["dtype"] == "image":
            rows = [np.asarray(PIL.Image.open(io.BytesIO(row["bytes"]))) for row in table.column(key).to_pylist()]
            columns[key] = np.stack(rows)
        elif feature["dtype"] == "string":
            columns[key] = table.column(key).to_pylist()
        else:
            columns[key] = np.array(table.column(key).to_pylist(), feature["dtype"])
    tasks = [names[index] for index in table.column("task_index").to_pylist()]
    return SimpleNamespace(
        info=info,
        features=info["features"],
        columns=columns,
        tasks=tasks,
        lengths=episodes.column("length").to_pylist(),
    )


@pytest.fixture
def kit() -> SimpleNamespace:
    """The functions of this file, for test modules that cannot import it."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if not name.startswith("_")})


@pytest.fixture
def shared() -> Path:
    folder = ROOT.parent / "shared/data/mcap"
    if not folder.is_dir():
        pytest.skip("the recordings beside the repository are not here")
    return folder


@pytest.fixture
def two_cameras() -> dict[str, Any]:
    """A contract for the shared logs."""
    return {
        "fps": 30,
        "on_gap": "cut",
        "stamps": True,
        "episodes": {
            "by": "event",
            "topic": "/episode/event",
            "start": "episode_start:{task}",
            "stop": "episode_stop:{outcome}",
        },
        "streams": {
            "joints": {"topic": "/joint_states", "clock": "header", "align": "hold", "tolerance_ms": 10},
            "commands": {
                "topic": "/joint_group_position_controller/commands",
                "clock": "log",
                "align": "hold",
                "tolerance_ms": 51,
            },
            "gripper": {"topic": "/gripper/command", "clock": "log", "align": "hold", "tolerance_ms": float("inf")},
            "front": {
                "topic": "/camera/front/image_raw/compressed",
                "clock": "header",
                "align": "nearest",
                "tolerance_ms": 34,
            },
            "wrist": {
                "topic": "/camera/wrist/image_raw/compressed",
                "clock": "header",
                "align": "nearest",
                "tolerance_ms": 34,
            },
        },
        "features": {
            "observation.state": [
                {"stream": "joints", "field": "position", "names": ["joint_1", "joint_2", "gripper"]}
            ],
            "action": [
                {"stream": "commands", "field": "data", "names": ["joint_1", "joint_2"]},
                {"stream": "gripper", "field": "position", "names": ["gripper"]},
            ],
            "observation.images.front": [{"stream": "front"}],
            "observation.images.wrist": [{"stream": "wrist"}],
        },
    }

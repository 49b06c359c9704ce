"""Short recordings with the fake arm, and an independent way to read them."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest

from lerobot.core.fake.config import FakeCameraConfig, FakeRobotConfig, FakeTeleoperatorConfig
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.safety import SafetyConfig
from lerobot.datasets.commands.record import DatasetRecordConfig, RecordConfig

BUILT: list[FakeRobot] = []


class KeptRobotConfig(FakeRobotConfig):
    """A fake arm that tests can look at afterwards."""

    def build(self, **dependencies: Any) -> Any:
        BUILT.append(super().build(**dependencies))
        return BUILT[-1]


NOTHING: Mapping[str, Any] = MappingProxyType({})


def config(
    root: Path,
    *,
    robot: Mapping[str, Any] = NOTHING,
    teleop: Mapping[str, Any] = NOTHING,
    dataset: Mapping[str, Any] = NOTHING,
    cameras: int = 1,
    **others: Any,
) -> RecordConfig:
    """Two episodes of six frames with a tenth of a second to reset, unless told otherwise."""
    views = {f"view{i}": FakeCameraConfig(width=48, height=32, fps=60) for i in range(cameras)}
    usual = {
        "repo_id": "me/test",
        "root": root,
        "single_task": "Wave",
        "episode_time_s": 0.2,
        "reset_time_s": 0.1,
        "num_episodes": 2,
        "no_stamp": True,
    }
    return RecordConfig(
        robot=KeptRobotConfig(cameras=views, **robot),
        teleop=FakeTeleoperatorConfig(**teleop),
        dataset=DatasetRecordConfig(**(usual | dict(dataset))),
        play_sounds=False,
        **({"safety": SafetyConfig(ramp_s=0.1)} | others),
    )


def info(root: Path) -> dict[str, Any]:
    return json.loads((root / "meta/info.json").read_text())


def rows(root: Path) -> list[dict[str, Any]]:
    """Every committed row, read without the package's own readers."""
    found = [row for path in sorted((root / "data").glob("*/*.parquet")) for row in pq.read_table(path).to_pylist()]
    return found[: info(root)["total_frames"]]


def lengths(root: Path) -> list[int]:
    counts: dict[int, int] = {}
    for row in rows(root):
        counts[row["episode_index"]] = counts.get(row["episode_index"], 0) + 1
    return [counts[index] for index in sorted(counts)]


@pytest.fixture
def kit(lerobot_home):
    """The functions of this file, for test modules that cannot import it."""
    BUILT.clear()
    return SimpleNamespace(config=config, info=info, rows=rows, lengths=lengths, built=BUILT)

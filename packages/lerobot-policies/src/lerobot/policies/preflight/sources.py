"""What a dataset, a robot or an environment says of itself, in one form that can be compared; without torch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lerobot.core.config.base import EnvConfig, RobotConfig
from lerobot.core.errors import DatasetError
from lerobot.core.json_file import ENCODING, read_json
from lerobot.core.paths import lerobot_home
from lerobot.core.processors import DataProcessorPipeline
from lerobot.core.processors.dataset_features import aggregate_pipeline_dataset_features, create_initial_features
from lerobot.core.types import FeatureSpec
from lerobot.policies.commands.check import DatasetSource
from lerobot.policies.features import ACTION
from lerobot.policies.processing.observations import flatten, is_image


@dataclass(frozen=True, slots=True)
class Described:
    """What a dataset, a robot or an environment says of itself.

    Attributes:
        label: what it is, for messages.
        features: as in `info.json`; `names` is None where there are none, as in environments.
        fps: frames per second; None for a robot, which takes any.
        stats: statistics by feature, as in `stats.json`; None for what is no dataset.
        specs: what is said of each number, by its name; empty for a dataset.
    """

    label: str
    features: Mapping[str, Mapping[str, Any]]
    fps: float | None = None
    stats: Mapping[str, Mapping[str, Any]] | None = None
    specs: Mapping[str, FeatureSpec] = field(default_factory=dict)


def flat_names(names: Any) -> list[str]:
    """Names of a vector's elements; some datasets group them as `{"motors": [...]}`."""
    if isinstance(names, Mapping):
        return [name for group in names.values() for name in flat_names(group)]
    return [str(name) for name in names or ()]


def describe_dataset(source: DatasetSource) -> Described:
    """Read what a dataset of any version says of itself; only its JSON files.

    Raises:
        DatasetError: there is none, or its files are damaged.
    """
    root = source.root if source.root is not None else lerobot_home() / source.repo_id
    meta = root / "meta"
    try:
        info = read_json(meta / "info.json")
        return Described(f"dataset {source.repo_id}", info["features"], info["fps"], _statistics(meta))
    except FileNotFoundError as error:
        raise DatasetError(f"there is no dataset in {root}", hint="Give its folder: --dataset.root=FOLDER") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"the metadata in {meta} cannot be read: {error}") from error


def _statistics(meta: Path) -> Mapping[str, Mapping[str, Any]]:
    if (path := meta / "stats.json").exists():
        stats: dict[str, dict[str, Any]] = read_json(path)
        return stats
    if not (path := meta / "episodes_stats.jsonl").exists():
        return {}
    # Version 2.1 has statistics per episode; those of the first one tell which there are.
    with path.open(encoding=ENCODING) as file:
        first: dict[str, dict[str, Any]] = json.loads(file.readline())["stats"]
    return first


def describe_robot(config: RobotConfig) -> Described:
    """Ask a robot what it measures and takes, without connecting it.

    Raises:
        LeRobotError: it cannot be built, or its features cannot be stored.
    """
    robot = config.build()
    declared = create_initial_features(robot.action_features, robot.observation_features)
    features = aggregate_pipeline_dataset_features(DataProcessorPipeline(), declared)
    return Described(f"robot {config.type}", features, specs={**declared["observation"], **declared["action"]})


def describe_env(config: EnvConfig) -> Described:
    """Ask an environment what it shows and takes, without starting an episode.

    Elements of its vectors have no names; their specifications are found under `<feature>[<index>]`.

    Raises:
        LeRobotError: it cannot be built.
    """
    env = config.build()
    try:
        named = flatten(env.observation_space, config.features_map)
        spaces = {**{key: space for key, space in named.items() if space.shape is not None}, ACTION: env.action_space}
        fps = env.metadata.get("render_fps")
    finally:
        env.close()
    specs = {
        f"{key}[{index}]": FeatureSpec(range=(float(low), float(high)))
        for key, space in spaces.items()
        if hasattr(space, "low") and len(space.shape) == 1
        for index, (low, high) in enumerate(zip(space.low, space.high, strict=True))
    }
    return Described(
        f"environment {config.type}", {key: _of_space(each) for key, each in spaces.items()}, fps, specs=specs
    )


def _of_space(space: Any) -> dict[str, Any]:
    if is_image(tuple(space.shape), space.dtype):
        return {"dtype": "video", "shape": space.shape, "names": ["height", "width", "channels"]}
    return {"dtype": str(space.dtype), "shape": space.shape, "names": None}

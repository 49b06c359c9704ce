"""Does a policy fit a dataset and a robot? Answered from names, shapes, ranges and headers, without torch."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from lerobot.core.config.base import RobotConfig
from lerobot.core.errors import CheckpointError, DatasetError, FeatureMismatchError, LeRobotError
from lerobot.core.paths import lerobot_home
from lerobot.core.processors import DataProcessorPipeline
from lerobot.core.processors.dataset_features import aggregate_pipeline_dataset_features, create_initial_features
from lerobot.core.types import FeatureSpec
from lerobot.policies.checkpoint import POSTPROCESSOR, PREPROCESSOR, WEIGHTS, Checkpoint
from lerobot.policies.commands.check import CheckConfig, DatasetSource
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import PolicyFeatures, check_provided, features_of_dataset
from lerobot.policies.processing.modes import NEEDED
from lerobot.policies.saved_tensors import tensor_names

OUTSIDE = 0.05
"""Share of a range that recorded values may lie beyond it, for overshoot and calibration."""


@dataclass(frozen=True, slots=True)
class Described:
    """What a dataset or robot says of itself.

    Attributes:
        label: what it is, for messages.
        features: as in `info.json`.
        fps: frames per second; None for a robot.
        stats: statistics by feature, as in `stats.json`; empty for a robot.
        specs: what the robot says of each number, by name; empty for a dataset.
    """

    label: str
    features: Mapping[str, Mapping[str, Any]]
    fps: float | None = None
    stats: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    specs: Mapping[str, FeatureSpec] = field(default_factory=dict)


def describe_dataset(source: DatasetSource) -> Described:
    """Read what a dataset of any version says of itself; only its JSON files.

    Raises:
        DatasetError: there is none, or its files are damaged.
    """
    root = source.root if source.root is not None else lerobot_home() / source.repo_id
    meta = root / "meta"
    try:
        info = json.loads((meta / "info.json").read_text(encoding="utf-8"))
        return Described(f"dataset {source.repo_id}", info["features"], info["fps"], _statistics(meta))
    except FileNotFoundError as error:
        raise DatasetError(f"there is no dataset in {root}", hint="Give its folder: --dataset.root=FOLDER") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"the metadata in {meta} cannot be read: {error}") from error


def _statistics(meta: Path) -> Mapping[str, Mapping[str, Any]]:
    if (path := meta / "stats.json").exists():
        stats: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return stats
    if not (path := meta / "episodes_stats.jsonl").exists():
        return {}
    # Version 2.1 has statistics per episode; those of the first one tell which there are.
    with path.open(encoding="utf-8") as file:
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


# --- the checks ------------------------------------------------------------------------------------------------------


def check_files(config: PreTrainedConfig) -> list[str]:
    """Find what is wrong with the files of a saved policy; nothing for a new one."""
    if config.pretrained_path is None:
        return []
    try:
        checkpoint = Checkpoint.at(config.pretrained_path, config.pretrained_revision)
        names = tensor_names(checkpoint.file(WEIGHTS))
        features = {**config.input_features, **config.output_features}
        if checkpoint.find(f"{PREPROCESSOR}.json") is None and any("buffer_action" in name for name in names):
            return []
        return [
            *_missing_statistics(checkpoint, PREPROCESSOR, "normalizer_processor", config, features),
            *_missing_statistics(checkpoint, POSTPROCESSOR, "unnormalizer_processor", config, config.output_features),
        ]
    except LeRobotError as error:
        return [str(error)]


def _missing_statistics(
    checkpoint: Checkpoint, pipeline: str, step: str, config: PreTrainedConfig, features: PolicyFeatures
) -> list[str]:
    try:
        described = json.loads(checkpoint.file(f"{pipeline}.json").read_text(encoding="utf-8"))
        entries = [entry for entry in described["steps"] if entry.get("registry_name") == step]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{checkpoint}/{pipeline}.json describes no pipeline: {error}") from error
    known = {
        name
        for entry in entries
        if entry.get("state_file")
        for name in tensor_names(checkpoint.file(entry["state_file"]))
    }
    missing = [f"{key}.{name}" for key, names in _needed(config, features).items() for name in names]
    missing = [name for name in missing if entries and name not in known]
    return [f"{step} has no statistics {', '.join(missing)}"] if missing else []


def _needed(config: PreTrainedConfig, features: PolicyFeatures) -> dict[str, Sequence[str]]:
    """Statistics that the policy's modes of normalisation need, by feature."""
    modes = config.norm_map
    return {key: NEEDED[modes[each.type]] for key, each in features.items() if each.type in modes}


def check_policy(config: PreTrainedConfig, source: Described, rename_map: Mapping[str, str]) -> list[str]:
    """Find what a policy needs and a dataset or robot does not provide.

    Args:
        config: of the policy; a new one takes its features from the source.
        source: the dataset or robot.
        rename_map: the policy's keys by the source's.
    """
    provided = {rename_map.get(key, key): each for key, each in features_of_dataset(source.features).items()}
    fitted = config if config.output_features else config.with_features(provided)
    needed = {**fitted.input_features, **fitted.output_features}
    problems = []
    try:
        check_provided(needed, provided, source.label, resized=config.resizes_images)
    except FeatureMismatchError as error:
        problems.append(str(error))
    if config.pretrained_path is None and source.fps is not None:
        stats = {rename_map.get(key, key): entry for key, entry in source.stats.items()}
        needed_stats = [(key, name) for key, names in _needed(fitted, needed).items() for name in names]
        missing = [f"{key}.{name}" for key, name in needed_stats if name not in stats.get(key, {})]
        if missing:
            problems.append(f"{source.label} has no statistics {', '.join(missing)}")
    return problems


def check_robot(dataset: Described, robot: Described) -> list[str]:
    """Find where a robot differs from the one a dataset was recorded with: names, order, shapes and ranges."""
    problems = []
    for key, feature in robot.features.items():
        recorded = dataset.features.get(key)
        if recorded is None:
            problems.append(f"{dataset.label} has no {key}, which {robot.label} has")
        elif list(recorded["shape"]) != list(feature["shape"]):
            problems.append(f"{key} has the shape {recorded['shape']} in {dataset.label}, {feature['shape']} now")
        elif len(feature["shape"]) == 1 and _flat_names(recorded["names"]) != _flat_names(feature["names"]):
            problems.append(
                f"{key} is {', '.join(_flat_names(recorded['names']))} in {dataset.label}, "
                f"{', '.join(_flat_names(feature['names']))} in {robot.label}"
            )
        elif len(feature["shape"]) == 1:
            problems += _outside(key, _flat_names(feature["names"]), dataset, robot)
    return problems


def _flat_names(names: Any) -> list[str]:
    """Names of a vector's elements; some datasets group them as `{"motors": [...]}`."""
    if isinstance(names, Mapping):
        return [name for group in names.values() for name in _flat_names(group)]
    return [str(name) for name in names or ()]


def _outside(key: str, names: Sequence[str], dataset: Described, robot: Described) -> Iterator[str]:
    """Recorded values a robot cannot take: the sign of another unit or calibration."""
    stats = dataset.stats.get(key, {})
    for name, low, high in zip(names, stats.get("min", ()), stats.get("max", ()), strict=False):
        spec = robot.specs.get(name)
        if spec is None or spec.range is None:
            continue
        margin = OUTSIDE * (spec.range[1] - spec.range[0])
        if low < spec.range[0] - margin or high > spec.range[1] + margin:
            yield (
                f"{key} {name} was recorded from {low:.4g} to {high:.4g}; {robot.label} allows {spec.range[0]:.4g} "
                f"to {spec.range[1]:.4g} {spec.unit or ''}".rstrip()
                + ": another unit or calibration?"
            )


def run(config: CheckConfig) -> int:
    """Run `lerobot check`: print what was compared and every problem; the exit code is 1 if there is one.

    Raises:
        LeRobotError: the dataset cannot be read or the robot not be built, or there is nothing to compare.
    """
    dataset = describe_dataset(config.dataset) if config.dataset is not None else None
    robot = describe_robot(config.robot) if config.robot is not None else None
    policy = config.policy
    checks: dict[str, list[str]] = {}
    if policy is not None:
        if policy.pretrained_path is not None:
            checks[f"files of policy {policy.pretrained_path}"] = check_files(policy)
        for source in (dataset, robot):
            if source is not None:
                checks[f"policy {policy.type} and {source.label}"] = check_policy(policy, source, config.rename_map)
    if dataset is not None and robot is not None:
        checks[f"{dataset.label} and {robot.label}"] = check_robot(dataset, robot)
    if not checks:
        raise LeRobotError("there is nothing to compare", expected="a saved policy, or two of policy, dataset, robot")
    for what, problems in checks.items():
        typer.echo(f"{what}: {'fits' if not problems else f'{len(problems)} problems'}")
        for problem in problems:
            typer.echo(f"  {problem}")
    return 1 if any(checks.values()) else 0

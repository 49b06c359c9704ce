"""What does not fit between policy, dataset, robot and environment: by names, shapes, ranges and headers."""

from collections.abc import Iterator, Mapping, Sequence

from lerobot.core.config.base import PolicyConfig
from lerobot.core.config.policies import ChunkPolicyConfig
from lerobot.core.errors import CheckpointError, FeatureMismatchError, LeRobotError
from lerobot.core.json_file import read_json
from lerobot.core.protocols.acting import ActingPolicy, Place
from lerobot.core.registry import registry
from lerobot.policies.checkpoint.files import ADAPTER_WEIGHTS, POSTPROCESSOR, PREPROCESSOR, WEIGHTS, Checkpoint
from lerobot.policies.checkpoint.header import tensor_names
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import PolicyFeatures, camera_use, check_provided, features_of_dataset
from lerobot.policies.names import check_names, renamed
from lerobot.policies.preflight.sources import Described, flat_names
from lerobot.policies.processing.modes import FINE_TUNE, NEEDED

OUTSIDE = 0.05
"""Share of a range that recorded values may lie beyond it, for overshoot and calibration."""


def check_files(config: PreTrainedConfig) -> list[str]:
    """Find what is wrong with the files of a saved policy; nothing for a new one."""
    if config.pretrained_path is None:
        return []
    try:
        checkpoint = Checkpoint.at(config.pretrained_path, config.pretrained_revision)
        names = tensor_names(checkpoint.file(ADAPTER_WEIGHTS if config.use_peft else WEIGHTS))
        _check_weights(config)
        features = {**config.input_features, **config.output_features}
        before, behind = config.scaled_by
        if checkpoint.find(f"{PREPROCESSOR}.json") is None and any("buffer_action" in name for name in names):
            return []
        return [
            *_missing_statistics(checkpoint, PREPROCESSOR, before, config, features),
            *_missing_statistics(checkpoint, POSTPROCESSOR, behind, config, config.output_features),
        ]
    except LeRobotError as error:
        return [str(error)]


def _check_weights(config: PreTrainedConfig) -> None:
    # Datasets, robots and environments are compared without torch; only a policy's networks need it.
    from lerobot.policies.policy import PreTrainedPolicy

    PreTrainedPolicy.check_pretrained(config)


def _missing_statistics(
    checkpoint: Checkpoint, pipeline: str, step: str, config: PreTrainedConfig, features: PolicyFeatures
) -> list[str]:
    try:
        described = read_json(checkpoint.file(f"{pipeline}.json"))
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
    if not missing:
        return []
    others = sorted({name.rpartition(".")[0] for name in known} - features.keys())
    there = f"; it has those of {', '.join(others)}. {FINE_TUNE}" if others else ""
    return [f"{step} has no statistics {', '.join(missing)}{there}"]


def _needed(config: PreTrainedConfig, features: PolicyFeatures) -> dict[str, Sequence[str]]:
    """Statistics that the policy's modes of normalisation need, by feature."""
    modes = config.norm_map
    return {key: NEEDED[modes[each.type]] for key, each in features.items() if each.type in modes}


def notes_on_files(config: PreTrainedConfig) -> tuple[list[str], list[str]]:
    """Say what the files of a saved policy will take and do, once they are in order.

    Returns:
        What its weights take and which statistics it uses; and what there is too little of.
    """
    from lerobot.policies.preflight.memory import weights_line  # as in `_check_weights`

    line, enough = weights_line(config)
    needed = _needed(config, {**config.input_features, **config.output_features})
    used = ", ".join(f"{key} ({', '.join(names)})" for key, names in needed.items() if names)
    notes = [f"statistics used: {used or 'none'}"]
    return ([line, *notes], []) if enough else (notes, [f"too little memory: {line}"])


def check_policy(config: PreTrainedConfig, source: Described, rename_map: Mapping[str, str]) -> list[str]:
    """Find what a policy needs and a dataset, robot or environment does not provide.

    Args:
        config: of the policy; a new one takes its features from the source.
        source: the dataset, robot or environment.
        rename_map: the policy's keys by the source's.
    """
    provided = features_of_dataset(renamed(source.features, rename_map))
    fitted = config if config.output_features else config.with_features(provided)
    needed = fitted.needed_of(provided)
    problems = []
    try:
        saved = config.needed_of(provided)
        check_names(source.features, saved, rename_map, source.label)
        check_provided(needed, provided, source.label, resized=config.resizes_images)
        fitted.validate_features()
    except FeatureMismatchError as error:
        problems.append(str(error))
    if config.pretrained_path is None and source.stats is not None:
        problems += _unlearnable(fitted, source, rename_map)
        stats = {rename_map.get(key, key): entry for key, entry in source.stats.items()}
        needed_stats = [(key, name) for key, names in _needed(fitted, needed).items() for name in names]
        missing = [f"{key}.{name}" for key, name in needed_stats if name not in stats.get(key, {})]
        if missing:
            problems.append(f"{source.label} has no statistics {', '.join(missing)}")
    return problems


def check_acting(config: PolicyConfig, source: Described, rename_map: Mapping[str, str]) -> list[str]:
    """Find why a policy that is no checkpoint, such as an exported one, cannot act in a place: it is loaded for it."""
    if isinstance(config, ChunkPolicyConfig):
        return ["what it needs is known only where it computes: lerobot rollout asks it before anything moves"]
    place = Place(source.label, source.features, source.specs, source.fps, rename_map)
    try:
        acting: ActingPolicy = registry.implementation(config, config.acts)(config, place)
    except LeRobotError as error:
        return [str(error)]
    acting.close()
    return []


def _unlearnable(config: PreTrainedConfig, dataset: Described, rename_map: Mapping[str, str]) -> list[str]:
    try:
        config.check_columns({rename_map.get(key, key) for key in dataset.features}, dataset.label)
    except FeatureMismatchError as error:
        return [str(error)]
    return []


def cameras_of(config: PreTrainedConfig, source: Described, rename_map: Mapping[str, str]) -> str:
    """Say which cameras of a dataset, robot or environment a policy looks at; see `camera_use`."""
    provided = features_of_dataset(renamed(source.features, rename_map))
    return camera_use(config.input_features or provided, provided)


def check_same(first: Described, second: Described) -> list[str]:
    """Find where two of dataset, robot and environment differ: names, order, shapes, rate and ranges.

    Args:
        first: what was there before: the dataset, if one of the two is.
        second: what is there now; all it has must be in the first.
    """
    problems = []
    if first.fps is not None and second.fps is not None and first.fps != second.fps:
        problems.append(f"{first.label} has {first.fps:g} frames per second, {second.label} {second.fps:g}")
    for key, feature in second.features.items():
        before = first.features.get(key)
        if before is None:
            problems.append(f"{first.label} has no {key}, which {second.label} has")
        elif list(before["shape"]) != list(feature["shape"]):
            problems.append(
                f"{key} has the shape {list(before['shape'])} in {first.label}, {list(feature['shape'])} now"
            )
        elif len(feature["shape"]) == 1:
            names, known = flat_names(feature["names"]), flat_names(before["names"])
            if names and known and names != known:
                problems.append(f"{key} is {', '.join(known)} in {first.label}, {', '.join(names)} in {second.label}")
            else:
                problems += _outside(key, names or known, first, second)
    return problems


def _outside(key: str, names: Sequence[str], dataset: Described, machine: Described) -> Iterator[str]:
    """Recorded values a machine cannot take: the sign of another unit or calibration."""
    stats = (dataset.stats or {}).get(key, {})
    for index, (low, high) in enumerate(zip(stats.get("min", ()), stats.get("max", ()), strict=False)):
        name = names[index] if index < len(names) else str(index)
        spec = machine.specs.get(name, machine.specs.get(f"{key}[{index}]"))
        if spec is None or spec.range is None:
            continue
        margin = OUTSIDE * (spec.range[1] - spec.range[0])
        if low < spec.range[0] - margin or high > spec.range[1] + margin:
            yield (
                f"{key} {name} was recorded from {low:.4g} to {high:.4g}; {machine.label} allows {spec.range[0]:.4g} "
                f"to {spec.range[1]:.4g} {spec.unit or ''}".rstrip()
                + ": another unit or calibration?"
            )

"""What policies call the features of a dataset: `observation.images.NAME`, `observation.state`, `action`."""

import difflib
from collections.abc import Mapping
from typing import Any

from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.features import (
    ACTION,
    OBSERVATION_STATE,
    FeatureType,
    PolicyFeature,
    PolicyFeatures,
    features_of_dataset,
)

OBSERVATION, IMAGES = "observation.", "observation.images."
_BOOKKEEPING = frozenset({"timestamp", "frame_index", "episode_index", "index", "task_index"})
_CAMERA_ENDINGS = ("_image", "_rgb", "_cam", "_camera")
_STATES = ("state", "proprio", "qpos", "joint", "position")

Declared = Mapping[str, Mapping[str, Any]]
"""Features as in `info.json`."""


def renamed(declared: Declared, rename_map: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    """Features of a dataset under the names a policy has for them.

    Args:
        declared: features as in `info.json`.
        rename_map: new names by old ones; other features keep theirs.

    Raises:
        FeatureMismatchError: two features would have one name.
    """
    named: dict[str, Mapping[str, Any]] = {}
    for key, feature in declared.items():
        name = rename_map.get(key, key)
        if name in named:
            raise FeatureMismatchError(
                f"two features would be named {name}", keys=[name], expected="a --rename_map to names of their own"
            )
        named[name] = feature
    return named


def check_names(declared: Declared, needed: PolicyFeatures, rename_map: Mapping[str, str], source: str) -> None:
    """Refuse features that a policy needs and that have another name, and say the renaming that helps.

    A feature that is not there at all is left to `check_provided`.

    Args:
        declared: features of the dataset, as in `info.json`.
        needed: features of the policy; empty for a new one, which takes what is named as it should be.
        rename_map: new names by old ones, as given.
        source: what the source is, for messages.

    Raises:
        FeatureMismatchError: features have other names; names each, with the whole `--rename_map`.
    """
    named = renamed(declared, rename_map)
    proposal = _for_trained(named, needed) if needed else _for_new(named)
    if not proposal:
        return
    given = {new: old for old, new in rename_map.items() if old in declared}
    whole = {**rename_map, **{given.get(key, key): name for key, name in proposal.items()}}
    raise FeatureMismatchError(
        f"{source} does not provide what the policy needs: "
        + "; ".join(f"{name} is missing, and there is {key}" for key, name in proposal.items()),
        keys=list(proposal.values()),
        expected="images as observation.images.NAME, the state as observation.state, actions as action",
        hint=f"Rename them: --rename_map='{{{', '.join(f'{old}: {new}' for old, new in whole.items())}}}'",
    )


def _for_new(named: Declared) -> dict[str, str]:
    """Names to give so that a new policy learns from everything; empty if they are as they should be."""
    wrong = {key: _camera_name(key) for key, feature in named.items() if _is_camera(feature) and not _known(key)}
    proposal = {key: name if list(wrong.values()).count(name) == 1 else IMAGES + key for key, name in wrong.items()}
    if ACTION not in named and (action := next((key for key in _vectors(named) if key.startswith(ACTION)), None)):
        proposal[action] = ACTION
    if proposal and OBSERVATION_STATE not in named:
        states = [key for key in _vectors(named) if any(word in key.lower() for word in _STATES)]
        proposal |= dict.fromkeys(states[:1], OBSERVATION_STATE)
    return proposal


def _for_trained(named: Declared, needed: PolicyFeatures) -> dict[str, str]:
    """Names to give so that a trained policy finds all it needs; empty if it does, or no renaming helps."""
    provided = _as_policy_features(named)
    free = {key: feature for key, feature in provided.items() if key not in needed}
    proposal: dict[str, str] = {}
    for name, feature in needed.items():
        if name in named:
            continue
        fitting = [key for key, each in free.items() if each.shape == feature.shape and _alike(each, feature)]
        if not fitting:
            return {}
        last = name.rpartition(".")[2]
        chosen = max(fitting, key=lambda key: difflib.SequenceMatcher(None, key.rpartition(".")[2], last).ratio())
        proposal[chosen] = name
        free.pop(chosen)
    return proposal


def _as_policy_features(named: Declared) -> PolicyFeatures:
    """Every feature of a dataset as a policy could have it, those with other names included."""
    return {
        key: next(iter(features_of_dataset({key if _known(key) else OBSERVATION + key: feature}).values()))
        for key, feature in named.items()
        if _is_camera(feature) or key in _vectors(named)
    }


def _alike(found: PolicyFeature, needed: PolicyFeature) -> bool:
    return (found.type is FeatureType.VISUAL) == (needed.type is FeatureType.VISUAL)


def _known(key: str) -> bool:
    return key.startswith(OBSERVATION) or key == ACTION


def _is_camera(feature: Mapping[str, Any]) -> bool:
    return feature["dtype"] in {"image", "video"}


def _vectors(named: Declared) -> list[str]:
    """Features that are vectors of numbers and no bookkeeping."""
    return [
        key
        for key, feature in named.items()
        if str(feature["dtype"]).startswith(("float", "double", "int"))
        and len(feature["shape"]) == 1
        and key not in _BOOKKEEPING
        and not key.startswith("next.")
    ]


def _camera_name(key: str) -> str:
    stem = key
    for ending in _CAMERA_ENDINGS:
        stem = stem.removesuffix(ending) or stem
    return f"{IMAGES}{stem.rpartition('/')[2].replace('.', '_')}"

"""Robomimic HDF5 files, and others with one group per demonstration.

Source:
    https://robomimic.github.io/docs/datasets/overview.html: `data/demo_N/{obs/*, actions, rewards, dones, states}`,
    attribute `env_args` of `data` (JSON), `mask/*` with names of demonstrations. LIBERO adds the attribute
    `problem_info` (JSON) with the instruction.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats import targets
from lerobot.dataset_tools.formats.arrays import EpisodeArrays
from lerobot.dataset_tools.formats.config import RobomimicConfig
from lerobot.dataset_tools.formats.files import datasets_below, kept_open, natural, reading
from lerobot.dataset_tools.formats.source import EpisodeSource

_TARGETS = {
    "action": targets.ACTION,
    "actions": targets.ACTION,
    "observation": targets.STATE,
    "observations": targets.STATE,
    "obs/object": targets.ENVIRONMENT_STATE,
    "reward": targets.REWARD,
    "rewards": targets.REWARD,
    "done": targets.DONE,
    "dones": targets.DONE,
}


def open_robomimic(config: RobomimicConfig) -> EpisodeSource:
    """Open the demonstrations of a file, in order of their numbers.

    Raises:
        DatasetError: the file is missing or damaged, or holds no demonstrations or no such mask.
    """
    with kept_open(config.path) as file:
        return _open(file, config)


def _open(file: Any, config: RobomimicConfig) -> EpisodeSource:
    group = file.get(config.group)
    if not hasattr(group, "items"):
        raise DatasetError(
            f"{config.path} has no group {config.group!r}",
            expected=f"one of {', '.join(['/', *sorted(file, key=natural)[:8]])}",
            hint="name it with --from.group",
        )
    names = _demonstrations(file, group, config)
    environment = _document(group, "env_args").get("env_kwargs") or {}
    instruction = _document(group, "problem_info").get("language_instruction")

    @contextmanager
    def open_episode(episode: int) -> Iterator[Mapping[str, Any]]:
        with reading(f"{config.path} {names[episode]}"):
            arrays = datasets_below(group[names[episode]])
        yield arrays

    return EpisodeArrays(
        [f"{config.path} {name}" for name in names],
        open_episode,
        _target,
        fps=environment.get("control_freq"),
        task="".join(instruction) if instruction else None,
        close=file.close,
    )


def _target(name: str, dtype: str, shape: tuple[int, ...]) -> str | None:
    if name in _TARGETS:
        return _TARGETS[name]
    return targets.observation_target(name, dtype, shape) if name.startswith("obs/") else None


def _demonstrations(file: Any, group: Any, config: RobomimicConfig) -> list[str]:
    names = {name for name, item in group.items() if hasattr(item, "items") and name != "mask"}
    if config.mask is not None:
        masks = file.get("mask") or {}
        if config.mask not in masks:
            raise DatasetError(
                f"{config.path} has no mask {config.mask!r}", expected=f"one of {', '.join(masks) or '(it has none)'}"
            )
        listed = {name.decode() if isinstance(name, bytes) else str(name) for name in masks[config.mask][:]}
        if missing := sorted(listed - names, key=natural):
            raise DatasetError(f"{config.path}: mask {config.mask!r} lists {missing[0]}, which is not in the file")
        names = listed
    if not names:
        raise DatasetError(f"{config.path} holds no demonstration in {config.group!r}")
    return sorted(names, key=natural)


def _document(group: Any, attribute: str) -> dict[str, Any]:
    """A JSON attribute; empty where there is none or it is something else."""
    try:
        document = json.loads(group.attrs.get(attribute, "{}"))
    except (TypeError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}

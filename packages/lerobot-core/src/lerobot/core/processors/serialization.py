"""Save and load the steps of a pipeline in the peer's format.

`<name>.json` lists the steps; the arrays of step i are in `<name>_step_<i>_<registry name>.safetensors`; what a step's
configuration refers to (a tokenizer) lies in a folder beside them. Every file is replaced in one step, the JSON last.

Source: the checkpoint format of huggingface/lerobot 0.6 (JSON and safetensors), with `artifacts` as on its main branch.
"""

import difflib
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lerobot.core.durable import move_into_place, replace_bytes, replace_text
from lerobot.core.errors import CheckpointError, ConfigError, ConfigProblem
from lerobot.core.processors.files import (
    PipelineFile,
    PipelineSource,
    check_inside,
    sanitised,
)
from lerobot.core.processors.plugins import StepReference, describe, load_step, refer
from lerobot.core.processors.state import decode, encode
from lerobot.core.protocols.processor import ProcessorStep

Overrides = Mapping[str, Mapping[str, Any]]
"""By registered name (class name for a step without one): configuration values and dependencies."""


def state_keys(pipeline: str, steps: Sequence[ProcessorStep]) -> list[str | None]:
    """Name the state of each step as its file is named, without `.safetensors`; None for a step without state."""
    return [_state_key(pipeline, index, step) if step.state_dict() else None for index, step in enumerate(steps)]


def _state_key(pipeline: str, index: int, step: ProcessorStep) -> str:
    name = describe(step).get("registry_name", "")
    return f"{sanitised(pipeline)}_step_{index}{f'_{name}' if name else ''}"


def pipeline_config(name: str, steps: Sequence[ProcessorStep]) -> dict[str, Any]:
    """Describe a pipeline as its JSON does."""
    entries: list[dict[str, Any]] = []
    for step, key in zip(steps, state_keys(name, steps), strict=True):
        entry: dict[str, Any] = {**describe(step), "config": step.get_config()}
        if key is not None:
            entry["state_file"] = f"{key}.safetensors"
        entries.append(entry)
    return {"name": name, "steps": entries}


def save_steps(name: str, steps: Sequence[ProcessorStep], folder: Path, config_filename: str | None) -> None:
    """Write a pipeline; see `DataProcessorPipeline.save_pretrained`."""
    folder.mkdir(parents=True, exist_ok=True)
    description = pipeline_config(name, steps)
    taken: set[str] = set()
    for index, (step, entry) in enumerate(zip(steps, description["steps"], strict=True)):
        if artifacts := _save_artifacts(step, index, folder, taken):
            entry["config"] |= artifacts
            entry["artifacts"] = artifacts
        if state_file := entry.get("state_file"):
            replace_bytes(folder / state_file, encode(step.state_dict()))
    text = json.dumps(description, indent=2, allow_nan=False)
    replace_text(folder / (config_filename or f"{sanitised(name)}.json"), text)


def _save_artifacts(step: ProcessorStep, index: int, folder: Path, taken: set[str]) -> dict[str, str]:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".artifacts-") as aside:
        written = step.save_artifacts(Path(aside))
        placed: dict[str, str] = {}
        for key, relative in written.items():
            check_inside(relative, f"step {index}")
            # Two tokenizers would both be called "tokenizer": the second gets the number of its step.
            name = f"{relative}_{index}" if relative in taken else relative
            taken.add(name)
            move_into_place(Path(aside) / relative, folder / name, Path(aside))
            placed[key] = name
    return placed


def build_steps(
    described: PipelineFile, source: str, overrides: Overrides, *, trust_remote_code: bool, place: PipelineSource | None
) -> list[ProcessorStep]:
    """Build the steps a JSON describes, without their state.

    Args:
        described: the checked JSON.
        source: where it comes from, for messages.
        overrides: see `DataProcessorPipeline.from_pretrained`.
        trust_remote_code: import classes the file names by their module path.
        place: where artifacts are; None if there is no folder.

    Raises:
        ConfigError: an override belongs to no step, or a value is wrong.
        CheckpointError: a step or artifact cannot be had.
    """
    references = [
        refer(entry.registry_name, entry.class_path, f"{source} step {index}")
        for index, entry in enumerate(described.steps)
    ]
    references = [StepReference(each.name, each.class_path, f"{each.where} ({each.key})") for each in references]
    _check_overrides(overrides, [reference.key for reference in references])
    steps: list[ProcessorStep] = []
    for reference, entry in zip(references, described.steps, strict=True):
        values = dict(entry.config)
        for key, relative in entry.artifacts.items():
            check_inside(relative, reference.where)
            if place is None:
                raise CheckpointError(f"{reference.where} needs the artifact {relative!r}, and there is no folder")
            values[key] = str(place.locate(relative))
        changed = overrides.get(reference.key, {})
        steps.append(load_step(reference, values, changed, trust_remote_code=trust_remote_code))
    return steps


def expected_state_keys(described: PipelineFile) -> list[str | None]:
    """Name the state of each step as the JSON does."""
    return [entry.state_file and entry.state_file.removesuffix(".safetensors") for entry in described.steps]


def _check_overrides(overrides: Overrides, keys: list[str]) -> None:
    problems = []
    for key in sorted(set(overrides) - set(keys)):
        near = difflib.get_close_matches(key, keys, n=1)
        expected = f"a step of the pipeline: {', '.join(keys) or '(none)'}"
        problems.append(ConfigProblem("overrides", key, expected, f"nearest: {near[0]}" if near else ""))
    if problems:
        raise ConfigError(problems)


def load_steps(
    place: PipelineSource, overrides: Overrides, *, trust_remote_code: bool
) -> tuple[PipelineFile, list[ProcessorStep]]:
    """Read a pipeline's JSON and its steps with their state; see `DataProcessorPipeline.from_pretrained`."""
    described = place.read()
    steps = build_steps(described, str(place), overrides, trust_remote_code=trust_remote_code, place=place)
    for index, (entry, step) in enumerate(zip(described.steps, steps, strict=True)):
        if entry.state_file is None:
            continue
        state = decode(place.locate(entry.state_file), step.state_framework)
        _give_state(step, state, f"{place} step {index} ({step.registry_name})")
    return described, steps


def give_states(
    keys: Sequence[str | None], steps: Sequence[ProcessorStep], states: Mapping[str, Mapping[str, Any]]
) -> None:
    """Hand arrays in memory to the steps they belong to.

    Args:
        keys: per step the name its state is expected under; None for a step without state.
        steps: the steps.
        states: arrays by those names.

    Raises:
        CheckpointError: names are missing or unknown, or a step does not accept its arrays.
    """
    owners = {key: step for key, step in zip(keys, steps, strict=True) if key is not None}
    missing, extra = sorted(set(owners) - set(states)), sorted(set(states) - set(owners))
    if missing or extra:
        raise CheckpointError(
            "; ".join(
                f"{what} state: {', '.join(names)}"
                for what, names in (("missing", missing), ("unknown", extra))
                if names
            ),
            expected=f"states of {', '.join(owners) or '(no step)'}",
        )
    for key, step in owners.items():
        _give_state(step, states[key], key)


def _give_state(step: ProcessorStep, state: Mapping[str, Any], where: str) -> None:
    try:
        step.load_state_dict(state)
    except (KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{where} does not accept its state: {error}") from error

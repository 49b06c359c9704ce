"""From a name and values to a step: validation, dependencies and what may be imported."""

import difflib
import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from lerobot.core.config.base import ProcessorStepConfig
from lerobot.core.errors import CheckpointError, ConfigError, ConfigProblem, PluginError
from lerobot.core.processors.step import ProcessorStep as ConfiguredStep
from lerobot.core.protocols.processor import ProcessorStep
from lerobot.core.registry import registry

PEER_CLASSES = {"lerobot.processor.pipeline.IdentityProcessorStep": "identity_processor"}
"""Steps the peer saves by class, because it has no name for them."""


@dataclass(frozen=True, slots=True)
class StepReference:
    """How a file names a step.

    Attributes:
        name: registered name; empty if there is none.
        class_path: `package.module.Class` of a step without a name; empty otherwise.
        where: file and position, for messages.
    """

    name: str
    class_path: str
    where: str

    @property
    def key(self) -> str:
        """What overrides call the step: its registered name, else its class name."""
        return self.name or self.class_path.rpartition(".")[2]


def refer(name: str, class_path: str, where: str) -> StepReference:
    """Make a reference; classes known by a registered name get that name."""
    if class_path in PEER_CLASSES:
        return StepReference(PEER_CLASSES[class_path], "", where)
    if ":" in name:
        # The registry imports whatever such a name says: it is a class, not a registered name.
        return StepReference("", name.replace(":", "."), where)
    return StepReference(name, class_path, where)


def describe(step: ProcessorStep) -> dict[str, str]:
    """Give the file entry that names a step: `registry_name`, or `class`.

    Raises:
        CheckpointError: the step has no name and its class cannot be imported by one.
    """
    for class_path, name in PEER_CLASSES.items():
        if step.registry_name == name:
            return {"class": class_path}
    if step.registry_name and ":" not in step.registry_name:
        return {"registry_name": step.registry_name}
    named = type(step.config if isinstance(step, ConfiguredStep) else step)
    if "<locals>" in named.__qualname__:
        raise CheckpointError(
            f"{named.__qualname__} is defined inside a function, so no file can name it",
            expected="a registered step, or a class at the top of a module",
        )
    return {"class": f"{named.__module__}.{named.__qualname__}"}


def build_step(config: ProcessorStepConfig, dependencies: Mapping[str, Any] | None = None) -> ProcessorStep:
    """Build a step from its configuration.

    Args:
        config: the step's configuration.
        dependencies: what its constructor needs beside that; exactly the names of its keyword-only parameters.

    Raises:
        PluginLoadError: the implementation cannot be imported.
        CheckpointError: a dependency is missing; names step and dependency.
        ConfigError: a dependency is none; names step and dependency.
    """
    return _build(config, dict(dependencies or {}), f"step {config.type or type(config).__name__}")


def load_step(
    reference: StepReference, values: Mapping[str, Any], overrides: Mapping[str, Any], *, trust_remote_code: bool
) -> ProcessorStep:
    """Build a step as a file describes it.

    Args:
        reference: how the file names the step.
        values: its saved configuration.
        overrides: values that replace saved ones; keys that are no configuration field are dependencies.
        trust_remote_code: import classes the file names by their module path.

    Raises:
        CheckpointError: nobody provides the step, importing it was not allowed, or a dependency is missing.
        ConfigError: a value is wrong or a key unknown; one line each, naming step and field.
    """
    named = _resolve(reference, trust_remote_code=trust_remote_code)
    if not (isinstance(named, type) and issubclass(named, ProcessorStepConfig)):
        return _construct(named, {**values, **overrides}, reference)
    fields = set(named.model_fields)
    settings = {key: value for key, value in overrides.items() if key in fields}
    dependencies = {key: value for key, value in overrides.items() if key not in fields}
    config = _validate(named, {**values, **settings}, reference)
    return _build(config, dependencies, reference.where)


def _resolve(reference: StepReference, *, trust_remote_code: bool) -> Any:
    if reference.name:
        try:
            return registry.config_class("processor", reference.name)
        except PluginError as error:
            raise CheckpointError(
                f"{reference.where}: {error.what}", expected=error.expected, hint=error.hint
            ) from error
    if not trust_remote_code:
        raise CheckpointError(
            f"{reference.where}: the file wants Python code imported: {reference.class_path!r}",
            expected="a registered step",
            hint="If you trust where the file comes from, load it with trust_remote_code=True.",
        )
    module, _, name = reference.class_path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise CheckpointError(
            f"{reference.where}: {reference.class_path!r} cannot be imported: {error}",
            hint="Install the package it comes from.",
        ) from error


def _validate(config_class: type[Any], values: dict[str, Any], reference: StepReference) -> ProcessorStepConfig:
    if reference.name:
        values = {**values, "type": reference.name}
    try:
        config: ProcessorStepConfig = config_class.model_validate(values)
    except ValidationError as error:
        known = [field for field in config_class.model_fields if field != "type"]
        raise ConfigError([_problem(reference.where, dict(detail), known) for detail in error.errors()]) from error
    return config


def _problem(where: str, detail: dict[str, Any], known: list[str]) -> ConfigProblem:
    field = ".".join(str(part) for part in detail["loc"])
    place = f"{where}.{field}" if field else where
    if detail["type"] == "missing":
        return ConfigProblem(place, None, "a value")
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(field, known, n=1)
        hint = f"nearest: {near[0]}" if near else ""
        return ConfigProblem(place, str(detail["input"]), f"one of {', '.join(known) or '(no fields)'}", hint)
    text = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return ConfigProblem(place, repr(detail["input"]), text)


def _build(config: ProcessorStepConfig, dependencies: dict[str, Any], where: str) -> ProcessorStep:
    parameters = inspect.signature(registry.implementation(config)).parameters.values()
    accepted = {parameter.name: parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
    if unknown := sorted(set(dependencies) - set(accepted)):
        fields = [field for field in type(config).model_fields if field != "type"]
        names = ", ".join([*fields, *accepted]) or "(nothing)"
        raise ConfigError([ConfigProblem(f"{where}.{key}", None, f"one of {names}") for key in unknown])
    missing = [name for name, parameter in accepted.items() if parameter.default is parameter.empty]
    if absent := sorted(set(missing) - set(dependencies)):
        raise CheckpointError(
            f"{where} needs {', '.join(absent)}, which cannot be saved in a file",
            hint=f'Pass it: overrides={{"{config.type or type(config).__name__}": {{"{absent[0]}": ...}}}}',
        )
    step: ProcessorStep = config.build(**dependencies)
    return step


def _construct(step_class: Any, arguments: dict[str, Any], reference: StepReference) -> ProcessorStep:
    """Construct a foreign step the way the peer does, with its configuration as keyword arguments."""
    try:
        step: ProcessorStep = step_class(**arguments)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{reference.where}: {reference.class_path!r} cannot be built: {error}") from error
    if not isinstance(step, ProcessorStep):
        raise CheckpointError(
            f"{reference.where}: {reference.class_path!r} is no processor step",
            expected="the methods of lerobot.core.protocols.ProcessorStep",
        )
    return step

"""Configuration models: the light half of every plugin.

An entry point names one of these classes. They import no torch, cv2 or SDK; the implementation is a string in `target`
and is imported by `build()` alone. A field annotated with a *choice* (`RobotConfig`, `CameraConfig`, ...) accepts any
registered plugin of that kind, chosen by its `type`, at any depth.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from lerobot.core.config.docstrings import needs_docstrings
from lerobot.core.config.ports import ports_in, require_own_ports
from lerobot.core.errors import ConfigError, PluginError
from lerobot.core.paths import user_path

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Positional:
    """Marks a field that is given by place: `kind: Annotated[str, Positional()]` in `lerobot plugins list robot`."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Says the unit of a field to `--help`: `fps: Annotated[float, Unit("Hz")]`."""

    name: str


def _at_home(path: Path) -> Path:
    try:
        return user_path(path)
    except ConfigError as error:
        raise ValueError(error.problems[0].expected) from error


def _text_of_path(text: str) -> str:
    return str(_at_home(Path(text))) if text.startswith("~") else text


PathText = Annotated[str, AfterValidator(_text_of_path)]
"""Text that may be a path, beside a name of the Hub or of a bundled file: a `~` first is the home folder."""


@dataclass(frozen=True, slots=True)
class NoEffect:
    """Marks a field that known command lines and files set and nothing reads: it is accepted and not listed."""


def _dump(value: Any, info: core_schema.SerializationInfo) -> Any:
    if not isinstance(value, BaseModel):
        return value
    return value.model_dump(mode=info.mode, exclude_none=info.exclude_none, exclude_defaults=info.exclude_defaults)


class ConfigModel(BaseModel):
    """Base of every configuration: unknown keys are errors and values never change after validation.

    A `~` that a path begins with is the home folder; a path in a text field is a `PathText`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False, use_attribute_docstrings=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.model_config["use_attribute_docstrings"] = needs_docstrings(cls)

    removed_fields: ClassVar[Mapping[str, str]] = {}
    """Fields that releases of huggingface/lerobot wrote into files and later ones do not have: the last such release by
    name. They are left out of what is read, with one line each.
    """

    renamed_fields: ClassVar[Mapping[str, str]] = {}
    """What fields are called now, by the name that earlier releases of huggingface/lerobot gave them."""

    @field_validator("*")
    @classmethod
    def _home_folders(cls, value: Any) -> Any:
        """Paths as people write them, wherever the configuration is made."""
        return _at_home(value) if isinstance(value, Path) else value

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_releases(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not value.keys() & {*cls.removed_fields, *cls.renamed_fields}:
            return value
        for name in [each for each in value if each in cls.removed_fields]:
            cls.tell_removed(name, value[name])
        return {cls.renamed_fields.get(name, name): value[name] for name in value if name not in cls.removed_fields}

    @classmethod
    def tell_removed(cls, name: str, value: Any) -> None:
        """Say in one line that a field of an earlier release is left out."""
        logger.warning("%s=%s is ignored: releases after %s have no such field", name, value, cls.removed_fields[name])


class PluginConfig(ConfigModel):
    """Configuration of one plugin, chosen by `type`.

    A class without `target` is a choice: a field annotated with it takes every plugin registered under its `kind`
    whose class derives from it. A class that sets `target` is one plugin.
    """

    kind: ClassVar[str]
    """Registry kind: `"robot"`, `"camera"`, `"teleoperator"`, `"policy"`, `"env"`, `"processor"`, ..."""

    target: ClassVar[str] = ""
    """Where the implementation is, `"package.module:Class"`; empty on a choice."""

    from_path: ClassVar[str] = ""
    """On a choice whose plugins can be loaded from a saved folder (`--policy.path=DIR`): the function that reads it,
    `"package.module:function"`. It is called with the path and the section's other keys (a mapping of text) and
    returns the saved fields as plain data, `type` included; keys given beside `path` override them. It raises
    LeRobotError for a folder it cannot use.
    """

    type: str = Field(default="", description="Registered name of the plugin.")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate a choice through the registry and every other class as the model it is."""
        schema = handler(source)
        if cls.target:
            return schema
        return core_schema.no_info_plain_validator_function(
            cls._choose,
            serialization=core_schema.plain_serializer_function_ser_schema(_dump, info_arg=True),
        )

    @classmethod
    def _choose(cls, value: Any) -> Self:
        if isinstance(value, cls) and value.target:
            return value
        if isinstance(value, PluginConfig):
            has, needed = _full_name(type(value)), _full_name(cls)
            raise PydanticCustomError("choice_unfit", "a {needed}, which {has} is no", {"needed": needed, "has": has})
        if not isinstance(value, dict):
            raise PydanticCustomError("choice_mapping", "a mapping with a 'type' key")
        fields = dict(value)
        name = fields.pop("type", None)
        if not name:
            raise PydanticCustomError("choice_type_missing", "a 'type' key naming a {kind}", {"kind": cls.kind})
        try:
            config_class = plugin_class(cls, str(name))
        except PluginError as error:
            raise PydanticCustomError("choice_unknown", "{error}", {"error": str(error), "cause": error}) from error
        try:
            return config_class.model_validate({**fields, "type": str(name)})
        except ValidationError as error:
            # Pydantic would print the nested error with its own headings; one sentence per problem reads better.
            problems = "; ".join(
                f"{'.'.join(map(str, (name, *detail['loc'])))}: {detail['msg']}" for detail in error.errors()
            )
            raise PydanticCustomError("choice_invalid", "{problems}", {"problems": problems}) from error

    def build(self, **dependencies: Any) -> Any:
        """Import the implementation and construct it with this configuration.

        Args:
            **dependencies: keyword arguments handed to the constructor after the configuration.

        Returns:
            The object the plugin implements: a Robot, a Camera, ...

        Raises:
            PluginLoadError: the implementation or one of its dependencies cannot be imported.
        """
        from lerobot.core.registry import registry

        implementation = registry.implementation(self)
        return implementation(self, **dependencies)


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


Choice = TypeVar("Choice", bound=PluginConfig)


def plugin_class(choice: type[Choice], name: str, *others: type[Choice]) -> type[Choice]:
    """Import the class of a plugin that a choice takes.

    Args:
        choice: class that the field of the choice is annotated with.
        name: registered name of the plugin.
        *others: further classes of the same kind, if the field is annotated with a union.

    Raises:
        PluginError: there is no such plugin, it cannot be imported, or its class does not derive from the choice's.
    """
    # Resolving needs the registry, which needs metadata of installed packages: only when a choice is made.
    from lerobot.core.registry import registry

    found = registry.config_class(choice.kind, name)
    for each in (choice, *others):
        if issubclass(found, each):
            return found
    has, needed = _full_name(found), " or ".join(map(_full_name, (choice, *others)))
    raise PluginError(
        f"{choice.kind} '{name}' has the configuration {has}, which is no {needed}.",
        kind=choice.kind,
        name=name,
        expected=f"a {choice.kind} whose configuration derives from {needed}",
        hint=f"its class {has} does not",
    )


class CameraConfig(PluginConfig):
    """Fields every camera has."""

    kind: ClassVar[str] = "camera"

    fps: float | None = Field(default=None, gt=0, description="Frames per second to ask the camera for.")
    width: int | None = Field(default=None, gt=0, description="Picture width in pixels, after rotation.")
    height: int | None = Field(default=None, gt=0, description="Picture height in pixels, after rotation.")

    @property
    def has_color(self) -> bool:
        """Whether the camera gives colour; a robot has it under the camera's name."""
        return True

    @property
    def has_depth(self) -> bool:
        """Whether the camera gives depth; a robot has it under the camera's name with `_depth` behind it."""
        return False


class _DeviceConfig(PluginConfig):
    id: str | None = Field(default=None, description="Name of this very device; chooses its calibration file.")
    calibration_dir: Path | None = Field(
        default=None, description="Folder of the calibration file; default: a folder per device type."
    )

    def ports(self) -> dict[str, str]:
        """Serial ports by the field that names each, such as `left_arm.port`; no other device may have one of them."""
        return dict(ports_in(self))


class RobotConfig(_DeviceConfig):
    """Fields every robot has."""

    kind: ClassVar[str] = "robot"

    @model_validator(mode="after")
    def _cameras_are_complete(self) -> Self:
        """A camera used by a robot needs its picture size and rate, or the features would be unknown."""
        mappings = [value for _, value in self if isinstance(value, dict)]
        cameras = [(name, each) for value in mappings for name, each in value.items() if isinstance(each, CameraConfig)]
        for name, camera in cameras:
            for field in ("width", "height", "fps"):
                if getattr(camera, field) is None:
                    raise PydanticCustomError(
                        "camera_incomplete",
                        "'{field}' for camera '{camera}', because a robot's pictures have a fixed size and rate",
                        {"field": field, "camera": name},
                    )
        return self


class TeleoperatorConfig(_DeviceConfig):
    """Fields every teleoperator has."""

    kind: ClassVar[str] = "teleoperator"


class PolicyConfig(PluginConfig):
    """Choice of a policy that acts; `lerobot-policies` defines the fields that those which learn share."""

    kind: ClassVar[str] = "policy"
    from_path: ClassVar[str] = "lerobot.core.config.policies:saved_fields"

    acts: ClassVar[str] = ""
    """What makes it ready to act, `"package.module:function"` or a class; empty: `target`. It is called with the
    configuration and the `lerobot.core.protocols.Place` to act in, and gives an `ActingPolicy` that fits there."""

    @property
    def origin(self) -> str | None:
        """Where it comes from, such as its folder; None for a new one, which would act at random."""
        return self.type


class EnvConfig(PluginConfig):
    """Fields every simulated environment has; whoever builds it for episodes acts on them."""

    kind: ClassVar[str] = "env"

    features_map: dict[str, str] = Field(
        default_factory=dict, description="Name of a part of the observation by its path, such as 'pixels/top'."
    )
    episode_length: int | None = Field(default=None, gt=0, description="Steps after which an episode is cut off.")
    disable_env_checker: bool = Field(
        default=True, description="Do without gymnasium's checks of every reset and step."
    )

    def tasks(self) -> "Mapping[str, Mapping[int, EnvConfig]]":
        """The tasks this names: by suite and number in the suite the configuration of an environment of that one task.

        An environment is built from a configuration of one task. A benchmark overrides this; it imports nothing heavy.
        """
        return {self.type: {0: self}}

    def caveats(self) -> Sequence[str]:
        """What tells a score in this environment from the benchmark's, a sentence each; reported with every score."""
        return ()


class OptimizerConfig(PluginConfig):
    """Choice of an optimizer, and the fields every optimizer has.

    `target` is a function `(config, *, policy)` that returns a `torch.optim.Optimizer` of what
    `policy.parameter_groups()` gives.
    """

    kind: ClassVar[str] = "optimizer"

    lr: float = Field(default=1e-3, gt=0, description="Learning rate.")
    weight_decay: float = Field(default=0.0, ge=0, description="Weight decay.")
    grad_clip_norm: float = Field(default=10.0, description="Largest norm of all gradients; 0 or less: no limit.")


class SchedulerConfig(PluginConfig):
    """Choice of a learning rate schedule.

    `target` is a function `(config, *, optimizer, total_steps)` that returns a `torch.optim.lr_scheduler.LRScheduler`,
    which is stepped after every batch of the run's `total_steps`.
    """

    kind: ClassVar[str] = "scheduler"


class ProcessorStepConfig(PluginConfig):
    """Choice of a processor step; its fields are the step's saved configuration."""

    kind: ClassVar[str] = "processor"

    saved_if_set: ClassVar[frozenset[str]] = frozenset()
    """Fields the peer's step does not know; they are saved only where they differ from their default."""


class CommandConfig(ConfigModel):
    """Configuration of one command line command: the single source of its flags, file form and Python form.

    `lerobot.commands` entry points name subclasses. The class docstring's first line is the command's summary.
    """

    target: ClassVar[str] = ""
    """Function that runs the command, `"package.module:function"`; called with the validated configuration."""
    preflight: ClassVar[str] = ""
    """Light `"package.module:function"` that refuses, before `target` is imported, what is seen to fail; or none."""
    examples: ClassVar[tuple[str, ...]] = ()
    """Worked command lines shown at the end of `--help`."""

    earlier_flags: ClassVar[Mapping[str, str]] = {}
    """Flags that earlier releases of huggingface/lerobot, or texts about them, have, and today's for each."""
    refused_flags: ClassVar[Mapping[str, str]] = {}
    """What to write in place of such a flag where no flag of today takes its value."""

    _config_file: Path | None = PrivateAttr(default=None)

    @property
    def config_file(self) -> Path | None:
        """The file of `--config_path` that this was read from, for commands to which its place says something."""
        return self._config_file

    @model_validator(mode="after")
    def _every_device_has_its_own_port(self) -> Self:
        require_own_ports({name: value.ports() for name, value in self if isinstance(value, _DeviceConfig)})
        return self

    def read_from(self, file: Path) -> Self:
        """Remember the file of `--config_path`; a copy that does."""
        copy = self.model_copy()
        copy._config_file = file
        return copy

    def __eq__(self, other: object) -> bool:
        """Whether all fields are equal, wherever they come from."""
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = ConfigModel.__hash__

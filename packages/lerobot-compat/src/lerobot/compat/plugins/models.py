"""From the dataclass that configures a third-party plugin, or a program, to a model like ours, and back.

The model has the dataclass's fields: flags, files and checks are those of every plugin. A field that takes a camera
takes any camera that is installed, of ours or of others; a dataclass inside is a section of its own.
"""

import dataclasses
import types
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, Union, cast, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, Field, create_model, model_validator
from pydantic.fields import FieldInfo

from lerobot.compat import choice, devices
from lerobot.compat.derived import is_mirror
from lerobot.compat.plugins.field_texts import field_texts
from lerobot.core.config import base

CHOICES: dict[type, type[base.PluginConfig]] = {
    choice.RobotConfig: base.RobotConfig,
    choice.TeleoperatorConfig: base.TeleoperatorConfig,
    choice.CameraConfig: base.CameraConfig,
    choice.EnvConfig: base.EnvConfig,
}
"""What takes the place of a choice of huggingface/lerobot in a field's type."""
DEVICES: dict[str, type] = {"robot": devices.Robot, "teleoperator": devices.Teleoperator, "camera": devices.Camera}
Unit = Literal["deg", "rad", "percent", "m100", "m", "mm", "m/s", "deg/s", "rad/s"]
PLAIN = (bool, int, float, str, Path, type(None))


class Adapted(base.ConfigModel):
    """A model made of a dataclass; see `original`."""

    model_config = ConfigDict(protected_namespaces=())

    made_from: ClassVar[type]
    """The dataclass."""
    fields_there: ClassVar[Mapping[str, str]] = {}
    """Its fields by their names here."""

    def original(self) -> Any:
        """The dataclass with the values of this model.

        Raises:
            Exception: whatever the dataclass's own checks raise.
        """
        return self.made_from(**{there: _back(getattr(self, here)) for here, there in self.fields_there.items()})

    @model_validator(mode="after")
    def _as_the_dataclass_makes_it(self) -> Self:
        """Let the plugin check its configuration, and take over what it fills in (`__post_init__`)."""
        try:
            made = self.original()
        except (ArithmeticError, AttributeError, LookupError, TypeError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error
        for here, there in self.fields_there.items():
            filled_in = vars(made).get(there)
            if filled_in != _back(getattr(self, here)):
                self.__dict__[here] = _here(filled_in)  # the model is frozen for everybody else
        return self


class AdaptedDevice(Adapted):
    """What configurations of third-party robots and teleoperators have beside their own fields."""

    device: ClassVar[type | None] = None
    """Class of the device, where the plugin names it; else it is found by the configuration's name."""

    units: Unit | dict[str, Unit] | None = Field(
        default=None,
        description="Unit of the joints, which the plugin does not state: one for all, or by key. The safety gate and "
        "datasets go by it.",
    )


class AdaptedRobotConfig(AdaptedDevice, base.RobotConfig):
    """A third-party robot."""

    target: ClassVar[str] = "lerobot.compat.plugins.robot:adapted_robot"


class AdaptedTeleoperatorConfig(AdaptedDevice, base.TeleoperatorConfig):
    """A third-party teleoperator."""

    target: ClassVar[str] = "lerobot.compat.plugins.teleoperator:adapted_teleoperator"


class AdaptedCameraConfig(Adapted, base.CameraConfig):
    """A third-party camera."""

    target: ClassVar[str] = "lerobot.compat.plugins.camera:AdaptedCamera"
    device: ClassVar[type | None] = None


class AdaptedEnvConfig(Adapted, base.EnvConfig):
    """A third-party environment."""

    target: ClassVar[str] = "lerobot.compat.plugins.env:adapted_env"
    device: ClassVar[type | None] = None


BASES: dict[str, Any] = {
    "robot": AdaptedRobotConfig,
    "teleoperator": AdaptedTeleoperatorConfig,
    "camera": AdaptedCameraConfig,
    "env": AdaptedEnvConfig,
}


def model_of_plugin(kind: str, name: str, config: object, parent: type | None = None) -> type | None:
    """The model of a dataclass that is registered under a name; None if it is no such dataclass.

    Args:
        kind: registry kind.
        name: registered name, the default of `type`.
        config: the dataclass.
        parent: what the model derives from; None for what `BASES` says.
    """
    parent = parent or BASES.get(kind)
    is_config = isinstance(config, type) and issubclass(config, choice.Choice) and dataclasses.is_dataclass(config)
    return _plugin(cast("Any", parent), name, cast("Any", config), None) if is_config and parent else None


def model_of_device(kind: str, name: str, device: object) -> type | None:
    """The model of a device that names its configuration in `config_class`; None if this is no such device."""
    if not (isinstance(device, type) and kind in DEVICES and issubclass(device, DEVICES[kind])):
        return None
    config = vars(device).get("config_class")
    return _plugin(BASES[kind], name, config, cast("Any", device)) if model_of_plugin(kind, name, config) else None


@cache
def _plugin(parent: Any, name: str, config: Any, device: Any) -> type:
    model: type = _model(config, parent, {"type": (str, name)})
    cast("Any", model).device = device
    return model


@cache
def section(config: Any) -> type[Adapted]:
    """The model of a dataclass that is no choice: one that stands in a field of another, or a program's own."""
    made: type[Adapted] = _model(config, Adapted, {})
    return made


def _model(config: Any, parent: Any, fields: dict[str, Any]) -> Any:
    texts, hints, declared = field_texts(config), _hints(config), _declared(config)
    there = {}
    for field in dataclasses.fields(config):
        if not field.init or field.name.startswith("_"):
            continue
        known = field.name in parent.model_fields
        here = field.name if known or not hasattr(parent, field.name) else f"{field.name}_"
        there[here] = field.name
        if not known or field.name in declared:
            fields[here] = (_type_here(hints.get(field.name, Any)), _info(field, texts.get(field.name, "")))
    model = cast("Any", create_model(config.__name__, __base__=parent, __module__=config.__module__, **fields))
    # A dataclass without a text of its own has its signature for one.
    written = config.__doc__ or ""
    model.__doc__ = parent.__doc__ if written.startswith(f"{config.__name__}(") else written
    model.made_from, model.fields_there = config, there
    return model


def _declared(config: Any) -> set[str]:
    """Fields that the plugin declares itself, not the class of ours that its own derives from."""
    ours = {choice.RobotConfig, choice.TeleoperatorConfig, choice.EnvConfig}
    classes = [each for each in config.__mro__ if each not in ours and not is_mirror(each)]
    return {name for each in classes for name in vars(each).get("__annotations__", {})}


def _hints(config: Any) -> dict[str, Any]:
    try:
        return get_type_hints(config, include_extras=True)
    except Exception:  # noqa: BLE001 - a name that is imported for type checking only, or an annotation of any kind
        return {field.name: field.type for field in dataclasses.fields(config) if not isinstance(field.type, str)}


def _info(field: Any, text: str) -> FieldInfo:
    info: Any = {"description": text or None}
    if field.default_factory is not dataclasses.MISSING:
        info["default_factory"] = lambda: _here(field.default_factory())
    elif field.default is not dataclasses.MISSING:
        info["default"] = _here(field.default)
    return Field(**info)  # type: ignore[no-any-return]


def _type_here(annotation: Any) -> Any:
    """A field's type as the model has it."""
    if annotation in CHOICES:
        return CHOICES[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_here(arguments[0])
    if origin in (Union, types.UnionType):
        return Union[tuple(_type_here(part) for part in arguments)]  # noqa: UP007 - of parts known at run time
    if origin in (dict, list, set, tuple, frozenset):
        return origin[tuple(part if part is ... else _type_here(part) for part in arguments)]
    if origin is Literal or annotation in PLAIN or annotation in (dict, list, set, tuple):
        return annotation
    if not isinstance(annotation, type):
        return Any
    if dataclasses.is_dataclass(annotation):
        return section(annotation)
    known = issubclass(annotation, (base.ConfigModel, *PLAIN[:-1])) or hasattr(annotation, "__members__")
    return annotation if known else Any


def _here(value: Any) -> Any:
    """A value of the dataclass as the model has it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        model = _model_of_value(value)
        fields = {here: _here(vars(value)[there]) for here, there in model.fields_there.items()}
        return model.model_validate(fields)
    if isinstance(value, dict):
        return {key: _here(each) for key, each in value.items()}
    if isinstance(value, list | tuple) and any(map(dataclasses.is_dataclass, value)):
        return type(value)(map(_here, value))
    return value


def _model_of_value(value: Any) -> type[Adapted]:
    kinds: dict[Any, str] = {family: ours.kind for family, ours in CHOICES.items()}
    for family, kind in kinds.items():
        if isinstance(value, family):
            return _plugin(BASES[kind], value.type, cast("Any", type(value)), None)
    return section(cast("Any", type(value)))


def _back(value: Any) -> Any:
    """A value of the model as the dataclass takes it."""
    if isinstance(value, Adapted):
        return value.original()
    if isinstance(value, dict):
        return {key: _back(each) for key, each in value.items()}
    if isinstance(value, list | tuple) and any(isinstance(each, Adapted) for each in value):
        return type(value)(map(_back, value))
    return value

"""Configurations of ours that plugins of huggingface/lerobot derive theirs from.

There a plugin writes `@dataclass class ToasterConfig(SOFollowerConfig): ...`, for configurations are dataclasses. Ours
are models; what is handed on in their place can be called, asked `isinstance` and derived from: a class derived from it
is made of a dataclass that has the model's fields.
"""

import dataclasses
import types
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lerobot.compat import choice
from lerobot.core.config import base

FAMILIES: dict[str, type] = {
    "robot": choice.RobotConfig,
    "teleoperator": choice.TeleoperatorConfig,
    "camera": choice.CameraConfig,
}
"""What configurations of a kind derive from as dataclasses."""
MIRROR = "__mirror__"


class Derivable(type(BaseModel)):  # type: ignore[misc] # pydantic's own metaclass, which is not public under its name
    """Class of models that can be derived from as dataclasses."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], *, model: bool = False, **settings: Any
    ) -> Any:
        """Make the model, or the dataclass-to-be that a plugin derives from one.

        Args:
            name: of the class.
            bases: what it derives from.
            namespace: what stands in it.
            model: it is one of ours that is handed on, whatever it derives from.
            **settings: of the model.
        """
        if model or not any(isinstance(each, Derivable) for each in bases):
            return super().__new__(cls, name, bases, namespace, **settings)
        mirrored = [dataclass_of(original_of(each)) if isinstance(each, Derivable) else each for each in bases]
        # There such a class may stand beside the base of its family; here it derives from it.
        kept = [each for each in mirrored if not any(each in other.__mro__[1:] for other in mirrored)]
        return types.new_class(name, tuple(kept), {}, lambda body: body.update(namespace))

    def __instancecheck__(cls, instance: Any) -> bool:
        """Models of the original class count, and dataclasses derived from it."""
        original = original_of(cls)
        return isinstance(instance, (original, dataclass_of(original)))

    def __subclasscheck__(cls, other: type) -> bool:
        """See `__instancecheck__`."""
        original = original_of(cls)
        return issubclass(other, (original, dataclass_of(original)))

    def register_subclass(cls, name: str) -> Callable[[choice.Config], choice.Config]:
        """See `Choice.register_subclass`."""
        return cls._family().register_subclass(name)

    def get_choice_class(cls, name: str) -> type:
        """See `Choice.get_choice_class`."""
        return cls._family().get_choice_class(name)

    def get_choice_name(cls, config: type) -> str:
        """See `Choice.get_choice_name`."""
        return cls._family().get_choice_name(config)

    def get_known_choices(cls) -> dict[str, type]:
        """See `Choice.get_known_choices`."""
        return cls._family().get_known_choices()

    def _family(cls) -> type[choice.Choice]:
        family: type[choice.Choice] = dataclass_of(original_of(cls))
        return family


def original_of(handed_on: type) -> Any:
    """The model of ours behind what is handed on."""
    models = [each for each in handed_on.__mro__ if base.ConfigModel in each.__mro__]
    return next(each for each in models if not isinstance(each, Derivable))


@cache
def derivable(original: type[BaseModel]) -> Any:
    """The model to hand on in the place of one of ours."""
    body = {"__module__": original.__module__, "__doc__": original.__doc__, "__qualname__": original.__qualname__}
    return Derivable(original.__name__, (original,), body)


@cache
def dataclass_of(model: Any) -> Any:
    """The dataclass with the fields, properties and methods of a model."""
    parent, above = _parent(model)
    inherited = {field.name for field in dataclasses.fields(parent)} if dataclasses.is_dataclass(parent) else set()
    fields = [
        (name, info.annotation, dataclasses.field() if info.is_required() else _with_default(info))
        for name, info in model.model_fields.items()
        if name not in inherited and name != "type"
    ]
    body = {**_methods(model, above), "__module__": model.__module__, MIRROR: True}
    return dataclasses.make_dataclass(model.__name__, fields, bases=(parent,), kw_only=True, namespace=body)


def is_mirror(cls: type) -> bool:
    """Whether a class was made by `dataclass_of`."""
    return MIRROR in vars(cls)


def _parent(model: Any) -> tuple[Any, type]:
    """What the dataclass of a model derives from, and the model whose methods that has."""
    if base.PluginConfig not in model.__mro__:
        return object, base.ConfigModel
    if model.kind in FAMILIES:
        return FAMILIES[model.kind], next(each for each in model.__mro__ if each.__module__ == base.__name__)
    lineage = [each for each in model.__mro__ if base.PluginConfig in each.__mro__[1:]]
    root = next(each for each in reversed(lineage) if each.__module__ != base.__name__)
    if root is model:
        return choice.Choice, lineage[lineage.index(root) + 1]
    return dataclass_of(root), root


def _with_default(info: FieldInfo) -> Any:
    return dataclasses.field(default_factory=partial(info.get_default, call_default_factory=True, validated_data={}))


def _methods(model: type, above: type) -> dict[str, Any]:
    methods: dict[str, Any] = {}
    for each in reversed(model.__mro__[: model.__mro__.index(above)]):
        methods |= {
            name: value
            for name, value in vars(each).items()
            if not name.startswith("_")
            and isinstance(value, property | types.FunctionType | classmethod | staticmethod)
        }
    return methods

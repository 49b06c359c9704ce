"""Processor steps as programs for huggingface/lerobot make and write them.

There a step takes its settings as arguments; here it takes a configuration. `step` makes the one of the other. The
bases below are for steps that programs define themselves, as dataclasses with settings of their own.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, wraps
from inspect import Parameter, signature
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from lerobot.core.config.base import ProcessorStepConfig
from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import step as base
from lerobot.core.registry import registry
from lerobot.core.types import FeatureSpec, as_features

Step = TypeVar("Step", bound=type)

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    # Programs measure no pose. What the first command may do is bounded by the largest step of inverse kinematics per
    # tick and by the ramp of the safety gate.
    "ee_bounds_and_safety": {"check_first_command": False},
}
"""Arguments that programs do not know and need otherwise than configurations."""

NOT_NEEDED: Mapping[str, frozenset[str]] = dict.fromkeys(
    # Statistics follow what they normalise.
    ("normalizer_processor", "unnormalizer_processor"),
    frozenset({"device", "dtype"}),
)
"""Arguments that programs give, and that nothing here needs to be told."""

SAVED = (str, int, float, list, dict, type(None))
"""Values of settings that JSON has."""


@cache
def step(config_class: type[ProcessorStepConfig]) -> type:
    """The class of a step that takes the fields of its configuration as arguments, in their order or by name.

    What cannot be saved (a device, statistics) is an argument too. Its objects are steps of ours.
    """
    implementation: type = registry.implementation(config_class.model_construct())
    places = [name for name in config_class.model_fields if name != "type"]
    name = config_class.model_fields["type"].default
    needed = [each for each in signature(implementation).parameters.values() if each.kind is Parameter.KEYWORD_ONLY]
    others = [each.name for each in needed]

    def __init__(self: Any, *args: Any, **settings: Any) -> None:  # noqa: N807
        given = {**dict(zip(places, args, strict=False)), **settings}
        given = {key: value for key, value in given.items() if key not in NOT_NEEDED.get(name, ())}
        if unknown := sorted(given.keys() - {*places, *others}):
            known = ", ".join(places + others) or "none"
            raise TypeError(f"{implementation.__name__} has no argument {', '.join(unknown)}; it has {known}")
        given = {**DEFAULTS.get(name, {}), **given}
        config = config_class(**{name: plain(given[name]) for name in places if name in given})
        implementation.__init__(self, config, **{name: given[name] for name in others if name in given})  # type: ignore[misc]

    body = {"__init__": __init__, "__module__": implementation.__module__, "__doc__": implementation.__doc__}
    return type(implementation.__name__, (AsksLittle, implementation), body)


class AsksLittle:
    """Stands before the class of a step: a program need not say what a robot measures to learn what a step commands."""

    def transform_features(self, features: Mapping[str, Any]) -> Any:
        """See `ProcessorStep.transform_features`; what a step misses in an empty observation counts as a number."""
        assumed: dict[str, FeatureSpec] = {}
        while True:
            given = {**features, "observation": {**features["observation"], **assumed}}
            try:
                changed = super().transform_features(given)  # type: ignore[misc] # the step's class is next
            except FeatureMismatchError as error:
                missed = set(error.keys) - assumed.keys() - features["action"].keys()
                if features["observation"] or not missed:
                    raise
                assumed |= dict.fromkeys(missed, FeatureSpec())
                continue
            kept = {key: spec for key, spec in changed["observation"].items() if key not in assumed}
            return {**changed, "observation": kept}


@runtime_checkable
class HasConfig(Protocol):
    """An object of a program that stands for a part of a configuration, such as `RobotKinematics`."""

    config: Any


def plain(value: Any) -> Any:
    """What a configuration takes for an object that huggingface/lerobot hands to a step: its settings."""
    return value.config if isinstance(value, HasConfig) else value


class ProcessorStepRegistry:
    """Names of steps that a program defines, so that files of pipelines can name them."""

    @classmethod
    def register(cls, name: str | None = None) -> Callable[[Step], Step]:
        """Register the decorated class.

        Args:
            name: its name in files; the name of the class if None.

        Raises:
            DuplicatePluginError: another class has the name.
        """

        def register(step_class: Step) -> Step:
            chosen = name or step_class.__name__
            registry.register("processor", chosen, step_class)
            step_class._registry_name = chosen  # type: ignore[attr-defined]
            return step_class

        return register

    @classmethod
    def get(cls, name: str) -> type:
        """The class of a registered step.

        Raises:
            PluginError: there is none.
        """
        found: type = registry.config_class("processor", name)
        return step(found) if issubclass(found, ProcessorStepConfig) else found

    @classmethod
    def list(cls) -> list[str]:
        """Names of all steps."""
        return registry.names("processor")


class OwnStep:
    """Stands before a base of steps: a step of this kind keeps its settings itself."""

    _registry_name: ClassVar[str] = ""
    _transition: Any = None

    def __init__(self) -> None:
        """There is no configuration."""

    @property
    def config(self) -> Any:
        """The step itself: it is what a file names."""
        return self

    def __init_subclass__(cls) -> None:
        """Let `transform_features` put in what programs put in: types, shapes and features of policies."""
        super().__init_subclass__()
        if own := cls.__dict__.get("transform_features"):
            cls.transform_features = _as_declared(own)  # type: ignore[attr-defined]

    @property
    def registry_name(self) -> str:
        """Registered name; empty for a step that is not registered."""
        return self._registry_name

    def get_config(self) -> dict[str, Any]:
        """Settings to save: those of a dataclass that JSON has."""
        own: Any = self
        names = [each.name for each in fields(own) if each.init] if is_dataclass(own) else []
        return {name: value for name in names if isinstance(value := vars(self).get(name), SAVED)}


def _as_declared(own: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(own)
    def transform_features(self: Any, features: Mapping[str, Any]) -> dict[str, dict[str, FeatureSpec]]:
        changed = own(self, {entry: dict(specs) for entry, specs in features.items()})
        return {str(entry): as_features(_specified(specs)) for entry, specs in changed.items()}

    return transform_features


def _specified(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Features of a policy as our specifications: one number, or an array."""
    return {key: _spec(value) for key, value in declared.items()}


def _spec(value: Any) -> Any:
    if isinstance(value, FeatureSpec | type | tuple):
        return value
    shape = tuple(value.shape)
    return FeatureSpec() if shape in {(), (1,)} else shape if len(shape) == 3 else FeatureSpec(shape=shape)


@cache
def own_step(kind: type) -> type:
    """The base of steps that programs define, made of one of ours."""
    return type(kind.__name__, (OwnStep, kind), {"__module__": __name__, "__doc__": kind.__doc__})


ProcessorStep = own_step(base.ProcessorStep)
ObservationProcessorStep = own_step(base.ObservationProcessorStep)
ActionProcessorStep = own_step(base.ActionProcessorStep)
RobotActionProcessorStep = own_step(base.RobotActionProcessorStep)
PolicyActionProcessorStep = own_step(base.PolicyActionProcessorStep)
RewardProcessorStep = own_step(base.RewardProcessorStep)
DoneProcessorStep = own_step(base.DoneProcessorStep)
TruncatedProcessorStep = own_step(base.TruncatedProcessorStep)
InfoProcessorStep = own_step(base.InfoProcessorStep)
ComplementaryDataProcessorStep = own_step(base.ComplementaryDataProcessorStep)
IdentityProcessorStep = own_step(base.IdentityProcessorStep)

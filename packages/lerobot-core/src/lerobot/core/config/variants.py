"""The classes a `type` chooses from: plugins of a kind, or the members of a union of models."""

from collections.abc import Sequence
from typing import Any, Protocol

from lerobot.core.config.annotations import choices, is_choice, is_model
from lerobot.core.config.base import ConfigModel, PluginConfig, plugin_class
from lerobot.core.errors import ConfigProblem, PluginError, PluginNotInstalledError


class Variants(Protocol):
    """Something that `type` chooses from."""

    label: str
    """What is chosen, as in "a robot"."""

    def names(self) -> list[str]:
        """Names that can be chosen here and now."""
        ...

    def config_class(self, name: str) -> type[ConfigModel]:
        """The model behind a name; raises PluginError."""
        ...


class PluginVariants:
    """Plugins that one choice takes, or one of several of the same kind, found by the registry."""

    def __init__(self, choice: type[PluginConfig], *others: type[PluginConfig]) -> None:
        self.choice = choice
        self._others = others
        self.kind = self.label = choice.kind

    def names(self) -> list[str]:
        """Installed names, from metadata."""
        from lerobot.core.registry import registry

        return registry.names(self.kind)

    def config_class(self, name: str) -> type[ConfigModel]:
        """Import the plugin's configuration class."""
        return plugin_class(self.choice, name, *self._others)


class ModelVariants:
    """Models of a union that differ in the literal of their `type` field."""

    def __init__(self, models: Sequence[type[ConfigModel]]) -> None:
        self.label = "type"
        self._models = {str(name): model for model in models for name in _names_of(model)}

    def names(self) -> list[str]:
        """Every name."""
        return list(self._models)

    def config_class(self, name: str) -> type[ConfigModel]:
        """The model with that `type`."""
        if name not in self._models:
            raise PluginError(
                f"no type is named '{name}'.", kind="type", name=name, expected=f"one of {', '.join(self._models)}"
            )
        return self._models[name]


def _names_of(model: type[ConfigModel]) -> Sequence[Any]:
    """The values that the field `type` of a model may have; none if it has no such field or any value goes."""
    field = model.model_fields.get("type")
    return () if field is None else choices(field.annotation)


def variants_of(annotations: Sequence[Any]) -> Variants | None:
    """What `type` chooses from among these alternatives of a field; None if nothing is chosen by `type`."""
    if plugins := [annotation for annotation in annotations if is_choice(annotation)]:
        return PluginVariants(*plugins)
    models = [part for part in annotations if is_model(part)]
    if len(models) > 1 and all(map(_names_of, models)):
        return ModelVariants(models)
    return None


def chosen_type(value: Any) -> str:
    """The `type` of a section's default value; empty if it is no model, or one that nothing was chosen for."""
    return str(dict(value).get("type") or "") if isinstance(value, ConfigModel) else ""


def choice_problem(where: str, name: str, error: PluginError) -> ConfigProblem:
    """Say on one line why a name cannot be chosen."""
    if isinstance(error, PluginNotInstalledError):
        provided = f"'{name}' is provided by {error.distribution}. {error.hint}" if error.distribution else error.what
        return ConfigProblem(where, name, f"an installed {error.kind}", provided.rstrip("."))
    if error.expected:
        return ConfigProblem(where, name, error.expected, error.hint)
    cause = ": ".join(line.strip().rstrip(".") for line in error.what.splitlines())
    return ConfigProblem(where, name, f"a {error.kind} that can be loaded", cause)


def type_words(variants: Variants) -> str:
    """Say what a missing `type` should have been."""
    names = variants.names()
    return f"a {variants.label}" + (f": {', '.join(names)}" if names else " (none is installed)")

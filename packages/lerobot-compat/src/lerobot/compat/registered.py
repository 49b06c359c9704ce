"""Names that are those of a registered plugin: they are here as soon as a package brings it."""

from typing import Any

from lerobot.compat.gated import gated
from lerobot.compat.steps import step
from lerobot.core.registry import registry


def config(plugin: str) -> Any:
    """The configuration class of a plugin.

    Args:
        plugin: kind and registered name, such as `"robot:so101_follower"`.

    Raises:
        PluginError: no installed package brings it.
    """
    kind, _, name = plugin.partition(":")
    found: type = registry.config_class(kind, name)
    if kind != "policy":
        return found
    from lerobot.compat.policy_classes import policy_config

    return policy_config(found)


def built(plugin: str) -> Any:
    """What the configuration of a plugin builds: of a robot the class behind its gate; see `config`."""
    kind, _, name = plugin.partition(":")
    implementation = registry.implementation(registry.config_class(kind, name).model_construct())
    if kind == "robot":
        return gated(implementation)
    if kind != "policy":
        return implementation
    from lerobot.compat.policy_classes import policy

    return policy(implementation)


def registered_step(name: str) -> Any:
    """The class of a processor step by its registered name, with its settings as arguments; see `steps.step`."""
    found: type = registry.config_class("processor", name)
    return step(found)

"""From a configuration to a device, as huggingface/lerobot's `make_..._from_config` do it."""

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from lerobot.compat.choice import Choice
from lerobot.compat.gated import gated
from lerobot.core.config.base import PluginConfig
from lerobot.core.errors import PluginError
from lerobot.core.registry import registry

SUFFIX = "Config"


def make_robot_from_config(config: Any) -> Any:
    """Make the robot of a configuration; one of ours is driven through its gate, see `GatedDriving`.

    Raises:
        PluginError: nothing implements it, or it cannot be imported.
    """
    if isinstance(config, PluginConfig):
        return gated(registry.implementation(config))(config)
    return make_device_from_device_class(config)


def make_teleoperator_from_config(config: Any) -> Any:
    """Make the teleoperator of a configuration; see `make_robot_from_config`."""
    return config.build() if isinstance(config, PluginConfig) else make_device_from_device_class(config)


def make_cameras_from_configs(camera_configs: Mapping[str, Any]) -> dict[str, Any]:
    """Make cameras, by name; see `make_robot_from_config`."""
    return {name: make_teleoperator_from_config(config) for name, config in camera_configs.items()}


def make_device_from_device_class(config: Choice) -> Any:
    """Make the device of a configuration class of huggingface/lerobot's kind.

    The class is named as its configuration is without `Config`. It is looked for in the package the configuration is
    in, in a module of that package named as the class in small letters, and in `x` beside `config_x`.

    Raises:
        PluginError: there is no such class, or a module that may hold it cannot be imported; names what was tried.
    """
    name = type(config).__name__
    if not name.endswith(SUFFIX):
        raise PluginError(
            f"the configuration class {name} does not say which device it is of.",
            kind="device",
            name=name,
            expected="a class named as its device, and Config",
        )
    wanted = name.removesuffix(SUFFIX)
    failed: dict[str, ImportError] = {}
    for place in _places(type(config).__module__, wanted):
        try:
            module = sys.modules.get(place) or import_module(place)
        except ImportError as error:
            failed[place] = error
            continue
        if wanted in vars(module):
            return vars(module)[wanted](config)
    tried = "; ".join(f"{place}: {error}" for place, error in failed.items())
    raise PluginError(
        f"no class {wanted} was found for {name} in {', '.join(_places(type(config).__module__, wanted))}.",
        kind="device",
        name=wanted,
        hint=f"Not imported: {tried}" if tried else "",
    )


def _places(module: str, wanted: str) -> Iterator[str]:
    package, _, last = module.rpartition(".")
    package = package or module
    yield package
    yield f"{package}.{wanted.lower()}"
    if last.startswith("config_"):
        yield f"{package}.{last.removeprefix('config_')}"

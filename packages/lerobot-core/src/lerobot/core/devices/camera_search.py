"""Every installed camera type that can look for cameras, and a picture of what it finds."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lerobot.core.commands.find_cameras import FindCamerasConfig
from lerobot.core.devices.png import write_png
from lerobot.core.errors import LeRobotError, PluginError
from lerobot.core.protocols import Camera
from lerobot.core.protocols.ability import FindsCameras, OpensFoundCameras
from lerobot.core.registry import registry
from lerobot.core.registry.catalog import known_plugins

log = logging.getLogger(__name__)


def installed() -> Iterator[tuple[str, FindsCameras]]:
    """Every camera type that can look for cameras, by name; one that is broken is reported and left out."""
    for name in registry.names("camera"):
        try:
            cls = _implementation(name)
        except PluginError as error:
            log.warning("%s", error)
            continue
        if isinstance(cls, FindsCameras):
            yield name, cls


def asked_for(text: str) -> tuple[str, FindsCameras]:
    """The camera type a user means, by its name or a part of it.

    Raises:
        PluginError: the type is not installed, or cannot be loaded.
        LeRobotError: it cannot look for cameras.
    """
    candidates = sorted({*registry.names("camera"), *known_plugins("camera")})
    matching = [text] if text in candidates else [name for name in candidates if text in name]
    name = matching[0] if len(matching) == 1 else text
    cls = _implementation(name)
    if not isinstance(cls, FindsCameras):
        raise LeRobotError(f"Camera type '{name}' cannot look for cameras.", hint=f"lerobot plugins info camera {name}")
    return name, cls


def _implementation(name: str) -> Any:
    config_class = registry.config_class("camera", name)
    return registry.implementation(config_class.model_construct(type=name))


def description(found: dict[str, Any], indent: str) -> Iterator[str]:
    """Lines that describe a camera."""
    for key, value in found.items():
        title = key.replace("_", " ").capitalize()
        if isinstance(value, dict):
            yield f"{indent}{title}:"
            yield from description(value, indent + "  ")
        else:
            yield f"{indent}{title}: {value}"


def save_pictures(
    cameras: list[tuple[FindsCameras, dict[str, Any]]], config: FindCamerasConfig, say: Callable[[str], None]
) -> list[Path | None]:
    """Save the last picture of each camera, one camera after the other; give where, None for those without."""
    saved: list[Path | None] = []
    for cls, found in cameras:
        saved.append(None)
        if not isinstance(cls, OpensFoundCameras):
            say(f"No picture of {found['name']}: its package does not open cameras it found.")
            continue
        path = config.output_dir / f"{found['type']}_{found['id']}.png".lower().replace("/", "_").replace("\\", "_")
        try:
            with cls.from_discovery(found) as camera:
                write_png(path, _last_picture(camera, config.warmup_s + config.record_time_s))
        except (LeRobotError, OSError) as error:
            log.warning("No picture of %s: %s", found["name"], error)
            continue
        saved[-1] = path
    return saved


def _last_picture(camera: Camera, seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        picture = camera.read()
        if time.monotonic() >= deadline:
            return picture

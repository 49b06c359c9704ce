"""Every installed camera type that can look for cameras, and a picture of what it finds."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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

WATCH_PERIOD_S = 0.25
"""Seconds between two pictures that are looked at, not recorded: packing them as PNG takes a core 40 ms each."""

Found = tuple[FindsCameras, dict[str, Any]]
"""A camera that was found, and the class that found it."""


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


def save_pictures(cameras: list[Found], config: FindCamerasConfig, say: Callable[[str], None]) -> list[Path | None]:
    """Save the last picture of each camera, one camera after the other; give where, None for those without."""
    saved: list[Path | None] = []
    for found in cameras:
        saved.append(None)
        with ExitStack() as stack:
            if (camera := _opened(found, stack, say)) is not None:
                saved[-1] = _saved(found, config, lambda: _last_picture(camera, config.warmup_s + config.record_time_s))
    return saved


def watch_pictures(
    cameras: list[Found], config: FindCamerasConfig, say: Callable[[str], None]
) -> Iterator[list[Path | None]]:
    """Save a picture of every camera again and again, all of them open; give where, see `save_pictures`, each time."""
    with ExitStack() as stack:
        opened = [_opened(found, stack, say) for found in cameras]
        while True:
            for place, (found, camera) in enumerate(zip(cameras, opened, strict=True)):
                if camera is not None and _saved(found, config, camera.read) is None:
                    opened[place] = None
            yield [
                None if camera is None else _picture_path(found, config)
                for found, camera in zip(cameras, opened, strict=True)
            ]
            time.sleep(WATCH_PERIOD_S)


def _opened(found: Found, stack: ExitStack, say: Callable[[str], None]) -> Camera | None:
    cls, facts = found
    if not isinstance(cls, OpensFoundCameras):
        say(f"No picture of {facts['name']}: its package does not open cameras it found.")
        return None
    try:
        return stack.enter_context(cls.from_discovery(facts))
    except (LeRobotError, OSError) as error:
        log.warning("No picture of %s: %s", facts["name"], error)
        return None


def _saved(found: Found, config: FindCamerasConfig, take: Callable[[], Any]) -> Path | None:
    """Take a picture and save it, whole at every instant; give where, None if it could not be taken."""
    path = _picture_path(found, config)
    aside = path.with_name(f".{path.name}")
    try:
        write_png(aside, take())
        aside.replace(path)
    except (LeRobotError, OSError) as error:
        log.warning("No picture of %s: %s", found[1]["name"], error)
        return None
    return path


def _picture_path(found: Found, config: FindCamerasConfig) -> Path:
    facts = found[1]
    return config.output_dir / f"{facts['type']}_{facts['id']}.png".lower().replace("/", "_").replace("\\", "_")


def _last_picture(camera: Camera, seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        picture = camera.read()
        if time.monotonic() >= deadline:
            return picture

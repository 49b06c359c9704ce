"""`lerobot find-cameras`: every installed camera type that can look for cameras, and a picture of what it finds."""

import logging
import time
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

from lerobot.core.commands.find_cameras import FindCamerasConfig
from lerobot.core.devices.png import write_png
from lerobot.core.errors import LeRobotError, PluginError
from lerobot.core.prompts import Prompter, TerminalPrompter
from lerobot.core.protocols import Camera
from lerobot.core.registry import registry
from lerobot.core.registry.catalog import known_plugins

log = logging.getLogger(__name__)

NOT_LOOKED_FOR = "fake"
"""Nobody who looks for cameras wants the one that does not exist; `find-cameras fake` still shows it."""


@runtime_checkable
class FindsCameras(Protocol):
    """What a camera class itself (not its objects) may offer: looking for cameras."""

    def find_cameras(self) -> list[dict[str, Any]]:
        """Describe every attached camera of this type: `name`, `type`, `id` and whatever else is known."""
        ...


@runtime_checkable
class OpensFoundCameras(FindsCameras, Protocol):
    """What a camera class offers beside that, so that a picture of each camera is saved."""

    def from_discovery(self, found: dict[str, Any]) -> Camera:
        """Build the camera that an entry of `find_cameras` describes."""
        ...


def find_cameras(config: FindCamerasConfig, prompter: Prompter | None = None) -> None:
    """Run the command.

    Args:
        config: validated configuration.
        prompter: who is told; the terminal if None.

    Raises:
        PluginError: the type that was asked for is not installed, or cannot be loaded.
        LeRobotError: the type that was asked for cannot look for cameras.
    """
    prompter = prompter or TerminalPrompter()
    classes = dict(_asked_for(config.camera_type) if config.camera_type else _installed())
    cameras = [(cls, found) for cls in classes.values() for found in cls.find_cameras()]
    if not cameras:
        _say_nothing_found(config.camera_type, sorted(classes), prompter)
        return
    prompter.say("\n--- Detected Cameras ---")
    for number, (_, found) in enumerate(cameras):
        prompter.say(f"Camera #{number}:")
        for line in _describe(found, "  "):
            prompter.say(line)
        prompter.say("-" * 20)
    if config.record_time_s and _save_pictures(cameras, config, prompter):
        prompter.say(f"Image capture finished. Images saved to {config.output_dir}")


def _installed() -> Iterator[tuple[str, FindsCameras]]:
    """Every camera type that can look for cameras; one that is broken is reported and left out."""
    for name in registry.names("camera"):
        if name == NOT_LOOKED_FOR:
            continue
        try:
            cls = _implementation(name)
        except PluginError as error:
            log.warning("%s", error)
            continue
        if isinstance(cls, FindsCameras):
            yield name, cls


def _asked_for(text: str) -> Iterator[tuple[str, FindsCameras]]:
    candidates = sorted({*registry.names("camera"), *known_plugins("camera")})
    matching = [text] if text in candidates else [name for name in candidates if text in name]
    name = matching[0] if len(matching) == 1 else text
    cls = _implementation(name)
    if not isinstance(cls, FindsCameras):
        raise LeRobotError(f"Camera type '{name}' cannot look for cameras.", hint=f"lerobot plugins info camera {name}")
    yield name, cls


def _implementation(name: str) -> Any:
    config_class = registry.config_class("camera", name)
    return registry.implementation(config_class.model_construct(type=name))


def _describe(found: dict[str, Any], indent: str) -> Iterator[str]:
    for key, value in found.items():
        title = key.replace("_", " ").capitalize()
        if isinstance(value, dict):
            yield f"{indent}{title}:"
            yield from _describe(value, indent + "  ")
        else:
            yield f"{indent}{title}: {value}"


def _say_nothing_found(asked: str | None, looked_for: list[str], prompter: Prompter) -> None:
    if asked:
        prompter.say(f"No {asked} cameras were detected.")
    elif looked_for:
        prompter.say(f"No cameras ({' or '.join(looked_for)}) were detected.")
    else:
        prompter.say("No installed package can look for cameras. Install one: uv pip install lerobot-opencv")


def _save_pictures(
    cameras: list[tuple[FindsCameras, dict[str, Any]]], config: FindCamerasConfig, prompter: Prompter
) -> int:
    """Save the last picture of each camera, one camera after the other; give how many were saved."""
    saved = 0
    for cls, found in cameras:
        if not isinstance(cls, OpensFoundCameras):
            prompter.say(f"No picture of {found['name']}: its package does not open cameras it found.")
            continue
        path = config.output_dir / f"{found['type']}_{found['id']}.png".lower().replace("/", "_").replace("\\", "_")
        try:
            with cls.from_discovery(found) as camera:
                write_png(path, _last_picture(camera, config.warmup_s + config.record_time_s))
        except (LeRobotError, OSError) as error:
            log.warning("No picture of %s: %s", found["name"], error)
            continue
        saved += 1
    return saved


def _last_picture(camera: Camera, seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        picture = camera.read()
        if time.monotonic() >= deadline:
            return picture

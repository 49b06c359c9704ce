"""Showing what a program measures and commands in the Rerun viewer."""

import time
from collections.abc import Mapping
from itertools import count
from typing import Any

from lerobot.core.control.rerun_display import RerunDisplay
from lerobot.core.errors import ConfigError, ConfigProblem
from lerobot.core.tick import Tick
from lerobot.core.types import Observation

_turns = count()
_open: list[RerunDisplay] = []
"""The one display of this process, between `init_rerun` and `shutdown_rerun`."""


def init_rerun(session_name: str = "lerobot_control_loop", ip: str | None = None, port: int | None = None) -> None:
    """Open the viewer, or connect to one.

    Args:
        session_name: name of the recording in the viewer.
        ip: address of a running viewer; one is started here if None.
        port: its port.

    Raises:
        LeRobotError: the package `rerun-sdk` is not installed.
    """
    shutdown_rerun()
    _open.append(RerunDisplay(session_name, address=None if ip is None or port is None else (ip, port)))


def log_rerun_data(
    observation: Mapping[str, Any] | None = None,
    action: Mapping[str, Any] | None = None,
    compress_images: bool = False,
) -> None:
    """Show one turn of a loop.

    Args:
        observation: what was measured.
        action: what was commanded.
        compress_images: accepted, and not needed: images to another computer are compressed.
    """
    del compress_images
    for display in _open:
        now = time.monotonic()
        commands = dict(action or {})
        index = next(_turns)
        display.write(Tick(index, index, now, now, Observation(observation), commands, commands, commands, now, now))


def shutdown_rerun() -> None:
    """Send what is left and close the connection; does nothing without one."""
    while _open:
        _open.pop().close()


def init_visualization(
    display_mode: str, *, session_name: str = "lerobot_control_loop", ip: str | None = None, port: int | None = None
) -> None:
    """Open a viewer; see `init_rerun`.

    Raises:
        ConfigError: it is no viewer that there is.
    """
    if display_mode != "rerun":
        raise ConfigError([ConfigProblem("display_mode", display_mode, "rerun, the one viewer there is")])
    init_rerun(session_name, ip, port)


def log_visualization_data(
    display_mode: str,
    observation: Mapping[str, Any] | None = None,
    action: Mapping[str, Any] | None = None,
    compress_images: bool = False,
) -> None:
    """Show one turn of a loop; see `log_rerun_data`."""
    del display_mode
    log_rerun_data(observation, action, compress_images)


def shutdown_visualization(display_mode: str) -> None:
    """Close the viewer."""
    del display_mode
    shutdown_rerun()

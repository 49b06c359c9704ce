"""Configuration of `lerobot find-port`."""

from typing import ClassVar

from pydantic import Field

from lerobot.core.config.base import CommandConfig


class FindPortConfig(CommandConfig):
    """Find the serial port of a device by unplugging it."""

    target: ClassVar[str] = "lerobot.core.devices.command:find_port"
    examples: ClassVar[tuple[str, ...]] = ("lerobot find-port", "lerobot find-port --list_only")

    list_only: bool = Field(default=False, description="List the ports with their USB names; nothing is unplugged.")

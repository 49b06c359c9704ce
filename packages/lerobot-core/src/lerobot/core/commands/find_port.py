"""Configuration of `lerobot find-port`."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from lerobot.core.config.base import CommandConfig


class FindPortConfig(CommandConfig):
    """Find the serial port of a device by unplugging it."""

    target: ClassVar[str] = "lerobot.core.devices.command:find_port"
    examples: ClassVar[tuple[str, ...]] = ("lerobot find-port", "lerobot find-port --list_only --format=json")

    list_only: bool = Field(default=False, description="List the ports with their USB names; nothing is unplugged.")
    format: Literal["table", "json"] = Field(default="table", description="How the list is written.")

    @model_validator(mode="after")
    def _only_a_list_is_written(self) -> Self:
        if self.format == "json" and not self.list_only:
            raise ValueError("--list_only beside --format=json: without it, questions are asked")
        return self

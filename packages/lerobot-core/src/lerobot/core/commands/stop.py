"""Configuration of `lerobot stop`."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from lerobot.core.config.base import CommandConfig


class StopConfig(CommandConfig):
    """Stop every robot that this user drives on this computer, until it is released."""

    target: ClassVar[str] = "lerobot.core.stop.command:stop"
    examples: ClassVar[tuple[str, ...]] = ("lerobot stop", "lerobot stop --release")

    release: bool = Field(default=False, description="Let robots move again: they begin softly from where they are.")
    reason: str | None = Field(default=None, description="Why it is stopped, in words.")
    wait_s: float = Field(default=1.0, ge=0, description="Longest time to wait until every loop says that it holds.")

    @model_validator(mode="after")
    def _a_release_has_no_reason(self) -> Self:
        if self.release and self.reason is not None:
            raise ValueError("--reason: why it is stopped; a release has none")
        return self

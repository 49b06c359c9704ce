"""`lerobot info`: versions and the platform, as bullets for a bug report."""

from typing import ClassVar, Literal

from pydantic import Field

from lerobot.core.config import CommandConfig


class InfoConfig(CommandConfig):
    """Print versions and the platform, for bug reports."""

    target: ClassVar[str] = "lerobot.core.inspection.command:info"
    examples: ClassVar[tuple[str, ...]] = ("lerobot info",)

    format: Literal["text", "json"] = Field(default="text", description="How the facts are written.")

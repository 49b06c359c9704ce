"""Configuration of `lerobot studio`."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator

from lerobot.core.config.base import CommandConfig


class StudioConfig(CommandConfig):
    """Show robots, recordings and policies in the browser."""

    target: ClassVar[str] = "lerobot.studio.command:studio"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot studio",
        "ssh -L 8090:127.0.0.1:8090 robot-computer lerobot studio --open_browser=false",
    )

    host: str = Field(
        default="127.0.0.1",
        description="Address to listen on. On any but this computer's own, pages travel unencrypted: see ssh -L below.",
    )
    port: int = Field(default=8090, ge=0, le=65535, description="Port to listen on; 0 takes any that is free.")
    token_file: Path | None = Field(
        default=None, description="File of the token that opens the pages; default: one of this user, made once."
    )
    open_browser: bool = Field(default=True, description="Open the first page in the browser, where there is one.")

    @field_validator("host")
    @classmethod
    def _is_one_address(cls, host: str) -> str:
        # Requests are let in by the name they were sent to, which a wildcard does not say.
        if host in {"", "0.0.0.0", "::"}:  # noqa: S104
            raise ValueError("one address or name of this computer, such as 192.168.1.20; hostname -I lists them")
        return host

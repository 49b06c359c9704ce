"""`lerobot virtual-earthrover`: a rover to try every command on, without hardware and without the SDK."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from lerobot.core.config.base import CommandConfig


class VirtualEarthRoverConfig(CommandConfig):
    """Run a virtual EarthRover behind the local server of its SDK."""

    target: ClassVar[str] = "lerobot.earthrover.command:virtual_earthrover"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot virtual-earthrover",
        "lerobot virtual-earthrover --port=0 --url-file=/tmp/rover",
    )

    port: int = Field(default=8000, ge=0, le=65535, description="Port of this computer to listen on; 0 is a free one.")
    url_file: Path | None = Field(
        default=None, description="File that holds the address while the server runs, for scripts."
    )

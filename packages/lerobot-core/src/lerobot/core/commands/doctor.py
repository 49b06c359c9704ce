"""`lerobot doctor`: is everything that is installed usable?"""

from typing import ClassVar

from pydantic import Field

from lerobot.core.config import CommandConfig


class DoctorConfig(CommandConfig):
    """Check the installation and every plugin."""

    target: ClassVar[str] = "lerobot.core.commands.doctor_report:run"
    examples: ClassVar[tuple[str, ...]] = ("lerobot doctor", "lerobot doctor --deep")

    deep: bool = Field(default=False, description="Import the implementations too, with everything they need.")

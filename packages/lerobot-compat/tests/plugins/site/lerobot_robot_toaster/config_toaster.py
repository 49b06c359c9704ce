from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from lerobot.cameras import CameraConfig
from lerobot.robots.config import RobotConfig

TYPE = "toaster"


class Mode(Enum):
    TOAST = "toast"
    DEFROST = "defrost"


@dataclass
class BreadConfig:
    """What lies in a slot.

    Args:
        slices: how many there are,
            both slots together.
    """

    slices: int = 2
    kind: str = "rye"


@RobotConfig.register_subclass(TYPE)
@dataclass
class ToasterConfig(RobotConfig):
    # Serial port the toaster
    # is plugged into.
    port: str
    mode: Mode = Mode.TOAST
    """What the lever starts."""
    levers: list[str] = field(default_factory=lambda: ["lever", "shade"])  # names of what moves
    max_relative_target: float | dict[str, float] | None = None
    bread: BreadConfig = field(default_factory=BreadConfig)
    cameras: dict[str, CameraConfig] = field(default_factory=dict)
    recipe: Path | None = None
    fails_in: str = ""
    # Filled in from the mode.
    seconds: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bread.slices > 2:
            raise ValueError(f"there are two slots, so no {self.bread.slices} slices")
        if self.seconds is None:
            self.seconds = 90 if self.mode is Mode.TOAST else 180

"""Configuration of `lerobot teleoperate`."""

from typing import ClassVar

from pydantic import Field

from lerobot.core.config.base import CommandConfig, RobotConfig, TeleoperatorConfig
from lerobot.core.safety.config import SafetyConfig


class TeleoperateConfig(CommandConfig):
    """Drive a robot with a teleoperator."""

    target: ClassVar[str] = "lerobot.core.control.teleoperate:teleoperate"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot teleoperate --robot.type=so101_follower --robot.port=/dev/ttyACM0 "
        "--teleop.type=so101_leader --teleop.port=/dev/ttyACM1",
        "lerobot teleoperate --robot.type=fake --teleop.type=fake --teleop_time_s=10",
    )

    robot: RobotConfig = Field(description="Robot to drive.")
    teleop: TeleoperatorConfig = Field(description="Teleoperator to drive it with.")
    fps: int = Field(default=60, gt=0, description="Ticks per second, Hz.")
    teleop_time_s: float | None = Field(default=None, gt=0, description="Seconds to run; without it, until Ctrl-C.")
    display_data: bool = Field(default=False, description="Show cameras, joints and commands live.")
    display_mode: str = Field(default="rerun", description="Viewer of --display_data: rerun.")
    display_ip: str | None = Field(default=None, description="Address of a running viewer; needs --display_port too.")
    display_port: int | None = Field(default=None, gt=0, lt=65536, description="Port of a running viewer.")
    display_compressed_images: bool = Field(
        default=False, description="Send pictures to the viewer as JPEG; always so for a viewer elsewhere."
    )
    safety: SafetyConfig = Field(default_factory=SafetyConfig, description="Limits of the safety gate.")

"""Configuration of `lerobot teleoperate`."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from lerobot.core.commands.display import DisplayOptions
from lerobot.core.commands.earlier_flags import CONTROL_MODE, DEVICES
from lerobot.core.commands.processors import TeleoperationProcessorsConfig
from lerobot.core.config.base import CommandConfig, RobotConfig, TeleoperatorConfig
from lerobot.core.safety.config import SafetyConfig


class TeleoperateConfig(DisplayOptions, CommandConfig):
    """Drive a robot with a teleoperator."""

    target: ClassVar[str] = "lerobot.core.control.command:teleoperate"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot teleoperate --robot.type=so101_follower --robot.port=/dev/ttyACM0 "
        "--teleop.type=so101_leader --teleop.port=/dev/ttyACM1",
        "lerobot teleoperate --robot.type=sim_so101 --teleop.type=keyboard_ee "
        "--processors.teleop='[{type: ee_deltas_to_joints, kinematics: {urdf_path: so101}}]'",
    )
    earlier_flags: ClassVar[Mapping[str, str]] = DEVICES
    refused_flags: ClassVar[Mapping[str, str]] = CONTROL_MODE

    robot: RobotConfig = Field(description="Robot to drive.")
    teleop: TeleoperatorConfig = Field(description="Teleoperator to drive it with.")
    fps: int = Field(default=60, gt=0, description="Ticks per second, Hz.")
    teleop_time_s: float | None = Field(default=None, gt=0, description="Seconds to run; without it, until Ctrl-C.")
    processors: TeleoperationProcessorsConfig = Field(
        default_factory=TeleoperationProcessorsConfig, description="Steps between teleoperator and robot."
    )
    safety: SafetyConfig = Field(default_factory=SafetyConfig, description="Limits of the safety gate.")

"""Configuration of `lerobot find-joint-limits`."""

from typing import Annotated, ClassVar

from pydantic import Field

from lerobot.core.config.base import CommandConfig, PathText, RobotConfig, TeleoperatorConfig, Unit
from lerobot.core.safety.config import SafetyConfig


class FindJointLimitsConfig(CommandConfig):
    """Measure how far each joint moves while you teleoperate."""

    target: ClassVar[str] = "lerobot.core.devices.command:find_joint_limits"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot find-joint-limits --robot.type=so101_follower --robot.port=/dev/ttyACM0 "
        "--teleop.type=so101_leader --teleop.port=/dev/ttyACM1",
        "lerobot find-joint-limits --robot.type=fake --teleop.type=fake --teleop_time_s=10",
    )

    robot: RobotConfig = Field(description="Robot whose joints are measured.")
    teleop: TeleoperatorConfig = Field(description="Teleoperator to move it with.")
    teleop_time_s: Annotated[float, Unit("s")] = Field(default=30.0, gt=0, description="How long joints are measured.")
    warmup_time_s: Annotated[float, Unit("s")] = Field(
        default=5.0, ge=0, description="How long you may move before measuring starts."
    )
    control_loop_fps: Annotated[int, Unit("Hz")] = Field(default=30, gt=0, description="Ticks per second.")
    urdf_path: PathText | None = Field(default=None, description="Model of the robot, for bounds of its end effector.")
    target_frame_name: str = Field(default="gripper", description="Frame of the end effector in that model.")
    safety: SafetyConfig = Field(default_factory=SafetyConfig, description="Limits of the safety gate.")

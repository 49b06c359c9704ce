"""Configurations of Reachy 2, of its cameras, and of one that leads."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lerobot.core.config.base import CameraConfig, ConfigModel, RobotConfig, TeleoperatorConfig, Unit
from lerobot.reachy2.joints import PARTS, Joint

CAMERA_HZ = 30.0
"""Of every camera of the robot."""

Seconds = Annotated[float, Unit("s")]


class ReachyFields(ConfigModel):
    """Where the robot is, and which parts of it count."""

    ip_address: str = Field(default="localhost", description="Address of the robot's computer.")
    sdk_port: int = Field(default=50051, ge=1, le=65535, description="Port of the robot's server.")
    with_mobile_base: bool = Field(default=True, description="The mobile base counts.")
    with_l_arm: bool = Field(default=True, description="The left arm and its gripper count.")
    with_r_arm: bool = Field(default=True, description="The right arm and its gripper count.")
    with_neck: bool = Field(default=True, description="The neck counts.")
    with_antennas: bool = Field(default=True, description="The antennas count.")
    connect_timeout_s: Seconds = Field(default=5.0, gt=0, description="Longest time to wait for the robot at first.")
    max_age_s: Seconds = Field(
        default=0.5, gt=0, description="Older measurements are not used, and no answer is waited for any longer."
    )

    @model_validator(mode="after")
    def _a_part_counts(self) -> Self:
        if not self.joints and not self.with_mobile_base:
            raise ValueError("one of with_mobile_base, with_l_arm, with_r_arm, with_neck and with_antennas as true")
        return self

    @property
    def joints(self) -> Sequence[Joint]:
        """The joints that count, in order."""
        counts = {
            "neck": self.with_neck,
            "l_arm": self.with_l_arm,
            "r_arm": self.with_r_arm,
            "antennas": self.with_antennas,
        }
        return [joint for part, joints in PARTS.items() if counts[part] for joint in joints]


class Reachy2CameraConfig(CameraConfig):
    """One of the cameras of Reachy 2."""

    target = "lerobot.reachy2.camera:Reachy2Camera"

    type: str = "reachy2_camera"
    name: Literal["teleop", "depth"] = Field(description="teleop is the pair in the head, depth the one in the torso.")
    image_type: Literal["left", "right", "rgb", "depth"] = Field(
        description="teleop has left and right, depth has rgb and depth (uint16 millimetres)."
    )
    color_mode: Literal["rgb", "bgr"] = Field(default="rgb", description="Order of the colour channels.")
    ip_address: str = Field(default="localhost", description="Address of the robot's computer.")
    port: int = Field(default=50065, ge=1, le=65535, description="Port of its camera server.")
    connect_timeout_s: Seconds = Field(default=5.0, gt=0, description="Longest time to wait for the first picture.")

    @model_validator(mode="after")
    def _the_camera_has_it(self) -> Self:
        has = {"teleop": ("left", "right"), "depth": ("rgb", "depth")}[self.name]
        if self.image_type not in has:
            raise ValueError(f"image_type={' or '.join(has)} of the camera {self.name}, not {self.image_type}")
        return self

    @property
    def has_color(self) -> bool:
        """Whether it gives colour."""
        return self.image_type != "depth"

    @property
    def has_depth(self) -> bool:
        """Whether it gives depth."""
        return self.image_type == "depth"


class Reachy2Config(ReachyFields, RobotConfig):
    """Reachy 2."""

    target = "lerobot.reachy2.robot:Reachy2"

    type: str = "reachy2"
    port: int = Field(default=50065, ge=1, le=65535, description="Port of the camera server.")
    max_relative_target: float | None = Field(
        default=None, gt=0, description="Farthest target from the present position, degrees."
    )
    disable_torque_on_disconnect: bool = Field(
        default=False, description="Let the arms down and switch the motors off at the end; else they hold their pose."
    )
    use_external_commands: bool = Field(
        default=False,
        description="Another program commands the robot, such as the vendor's teleoperation: nothing is sent to it, "
        "and what it is commanded is what counts as sent.",
    )
    with_left_teleop_camera: bool = Field(default=False, description="Add the camera teleop_left.")
    with_right_teleop_camera: bool = Field(default=False, description="Add the camera teleop_right.")
    with_torso_camera: bool = Field(default=False, description="Add the camera torso_rgb.")
    camera_width: int = Field(default=640, gt=0, description="Width of the pictures of these three, pixels.")
    camera_height: int = Field(default=480, gt=0, description="Height of the pictures of these three, pixels.")
    cameras: dict[str, CameraConfig] = Field(default_factory=dict, description="Further cameras by name.")

    @property
    def all_cameras(self) -> dict[str, CameraConfig]:
        """Cameras by name, the robot's own after the further ones."""
        own: tuple[tuple[str, bool, Literal["teleop", "depth"], Literal["left", "right", "rgb"]], ...] = (
            ("teleop_left", self.with_left_teleop_camera, "teleop", "left"),
            ("teleop_right", self.with_right_teleop_camera, "teleop", "right"),
            ("torso_rgb", self.with_torso_camera, "depth", "rgb"),
        )
        return self.cameras | {
            name: Reachy2CameraConfig(
                name=camera,
                image_type=image_type,
                ip_address=self.ip_address,
                port=self.port,
                width=self.camera_width,
                height=self.camera_height,
                fps=CAMERA_HZ,
            )
            for name, is_wanted, camera, image_type in own
            if is_wanted
        }


class Reachy2TeleoperatorConfig(ReachyFields, TeleoperatorConfig):
    """A Reachy 2 that is commanded by another program, or moved by hand, and leads."""

    target = "lerobot.reachy2.teleoperator:Reachy2Teleoperator"

    type: str = "reachy2_teleoperator"
    use_present_position: bool = Field(
        default=False, description="Lead with where its joints are, rather than with where they are told to go."
    )

"""Configurations of a G1 behind its bridge, and of the exoskeleton."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lerobot.core.config.base import CameraConfig, ConfigModel, NoEffect, RobotConfig, TeleoperatorConfig, Unit
from lerobot.unitree_g1.joints import JOINTS

Seconds = Annotated[float, Unit("s")]
Gain = Annotated[float, Field(ge=0, le=500)]
"""More than the vendor's own programs set."""
PerJoint = Annotated[list[Gain], Field(min_length=len(JOINTS), max_length=len(JOINTS))]


class UnitreeG1Config(RobotConfig):
    """A Unitree G1 whose bridge runs on the robot."""

    target = "lerobot.unitree_g1.robot:UnitreeG1"

    type: str = "unitree_g1"
    kp: PerJoint = Field(
        default_factory=lambda: [joint.kp for joint in JOINTS], description="Stiffness of every joint, N m per radian."
    )
    kd: PerJoint = Field(
        default_factory=lambda: [joint.kd for joint in JOINTS],
        description="Damping of every joint, N m per radian and second.",
    )
    default_positions: Annotated[list[float], NoEffect()] = Field(
        default_factory=lambda: [0.0] * len(JOINTS), min_length=len(JOINTS), max_length=len(JOINTS)
    )
    control_dt: Seconds = Field(default=1 / 250, gt=0, description="Shortest time between two readings of the state.")
    is_simulation: bool = Field(
        default=True,
        description="huggingface/lerobot then runs a simulation from the Hub, which there is not here: false is the "
        "robot itself.",
    )
    robot_ip: str = Field(default="192.168.123.164", description="Address of the robot's computer.")
    command_port: int = Field(default=6000, ge=1, le=65535, description="Port of the bridge for commands.")
    state_port: int = Field(default=6001, ge=1, le=65535, description="Port of the bridge for the state.")
    measured: Literal["positions", "all"] = Field(
        default="positions",
        description="What is observed of the body: positions; all adds velocities, torques and the inertial sensor.",
    )
    cameras: dict[str, CameraConfig] = Field(default_factory=dict, description="Cameras by name.")
    gravity_compensation: bool = Field(default=False, description="Not here: it needs a model from the Hub.")
    controller: str | None = Field(default=None, description="Not here: walking needs networks from the Hub.")
    disable_torque_on_disconnect: bool = Field(
        default=False, description="Let the joints go limp at the end; else they stay damped."
    )
    command_timeout_s: Seconds = Field(
        default=0.5, gt=0, description="The joints are damped when nothing was commanded for so long."
    )
    connect_timeout_s: Seconds = Field(default=10.0, gt=0, description="Longest time to wait for the first state.")
    max_age_s: Seconds = Field(default=0.5, gt=0, description="An older state is not used.")


class ExoskeletonPort(ConfigModel):
    """Where an arm of the exoskeleton is plugged in."""

    port: str = Field(default="", description="Serial port of the arm; `lerobot find-port` finds it.")
    baud_rate: int = Field(default=115200, gt=0, description="Bits per second.")


class UnitreeG1TeleoperatorConfig(TeleoperatorConfig):
    """The exoskeleton whose two arms are worn."""

    target = "lerobot.unitree_g1.teleoperator:Exoskeleton"

    type: str = "unitree_g1"
    left_arm_config: ExoskeletonPort = Field(default_factory=ExoskeletonPort, description="The left arm.")
    right_arm_config: ExoskeletonPort = Field(default_factory=ExoskeletonPort, description="The right arm.")
    frozen_joints: Annotated[str, NoEffect()] = ""

    @model_validator(mode="after")
    def _both_arms_or_none(self) -> Self:
        if bool(self.left_arm_config.port) != bool(self.right_arm_config.port):
            raise ValueError("the ports of both arms, left_arm_config.port and right_arm_config.port, or of neither")
        return self

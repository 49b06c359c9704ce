"""Configurations of OpenArm followers and leaders, and of OpenArm mini."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lerobot.can.drive import Impedance
from lerobot.can.motor import CanMotor
from lerobot.core.config.base import ConfigModel
from lerobot.motors.arms.config import (
    ArmFields,
    FollowerConfig,
    FollowerFields,
    FollowerPairConfig,
    LeaderConfig,
    LeaderPairConfig,
)
from lerobot.openarm.joints import (
    FOLLOWER_KD,
    FOLLOWER_KP,
    LEADER_KD,
    LEADER_KP,
    LIMITS,
    MOTORS,
    NARROW,
    Limits,
    MotorEntry,
)

Side = Literal["left", "right"]
Stiffness = Annotated[float, Field(ge=0, le=500)]
Damping = Annotated[float, Field(ge=0, le=5)]


class CanFields(ConfigModel):
    """Fields of every arm of Damiao motors."""

    port: str = Field(description="CAN interface, such as can0, or serial port of an slcan adapter.")
    can_interface: str = Field(
        default="socketcan",
        description="socketcan, slcan, damiao (its own serial adapter), or auto: slcan for a device file.",
    )
    use_can_fd: bool = Field(default=True, description="CAN FD frames; socketcan only, others ignore it.")
    can_bitrate: int = Field(default=1_000_000, gt=0, description="Bits per second.")
    can_data_bitrate: int = Field(
        default=5_000_000, gt=0, description="Bits per second of CAN FD data; `lerobot setup-can` sets it."
    )
    motor_config: dict[str, MotorEntry] = Field(
        default=dict(MOTORS), description="Motors by joint: id it is commanded with, id it answers with, model."
    )
    use_velocity_and_torque: bool = Field(
        default=False, description="Also <joint>.vel (degrees/s) and <joint>.torque (Nm), which command nothing."
    )
    position_kp: list[Stiffness] = Field(default=list(FOLLOWER_KP), description="Stiffness by joint, 0 to 500 Nm/rad.")
    position_kd: list[Damping] = Field(default=list(FOLLOWER_KD), description="Damping by joint, 0 to 5 Nm s/rad.")

    @model_validator(mode="after")
    def _a_gain_for_each_joint(self) -> Self:
        for name, gains in (("position_kp", self.position_kp), ("position_kd", self.position_kd)):
            if len(gains) != len(self.motor_config):
                raise ValueError(f"{name} with {len(self.motor_config)} numbers, one for each joint of motor_config")
        return self

    def motors(self) -> dict[str, CanMotor]:
        """The motors by joint."""
        return {
            name: CanMotor(send_id, model, reply_id=reply_id)
            for name, (send_id, reply_id, model) in self.motor_config.items()
        }

    def drives(self) -> dict[str, Impedance]:
        """How each joint goes to a position."""
        gains = zip(self.motor_config, self.position_kp, self.position_kd, strict=True)
        return {name: Impedance(kp, kd) for name, kp, kd in gains}


class OpenArmFollowerFields(CanFields, FollowerFields):
    """Fields of every OpenArm follower."""

    port: str = Field(description="CAN interface, such as can0, or serial port of an slcan adapter.")
    side: Side | None = Field(
        default=None, description="left or right: takes the limits of that arm instead of joint_limits."
    )
    joint_limits: Limits = Field(
        default=dict(NARROW), description="Ends of each joint's range, degrees; used where side is not given."
    )

    @model_validator(mode="after")
    def _limits_of_each_joint(self) -> Self:
        if set(self.limits) != set(self.motor_config):
            raise ValueError(f"joint_limits of the joints {', '.join(self.motor_config)}")
        for name, (low, high) in self.limits.items():
            if not low < high:
                raise ValueError(f"joint_limits of {name} as [smallest, largest], not [{low:g}, {high:g}]")
        return self

    @property
    def limits(self) -> Limits:
        """Ends of each joint's range, degrees."""
        return self.joint_limits if self.side is None else dict(LIMITS[self.side])


class OpenArmLeaderFields(CanFields, ArmFields):
    """Fields of every OpenArm leader."""

    port: str = Field(description="CAN interface, such as can0, or serial port of an slcan adapter.")
    manual_control: bool = Field(default=True, description="It is moved by hand; false lets it hold its pose.")
    position_kp: list[Stiffness] = Field(
        default=list(LEADER_KP), description="Stiffness by joint while it holds, 0 to 500 Nm/rad."
    )
    position_kd: list[Damping] = Field(
        default=list(LEADER_KD), description="Damping by joint while it holds, 0 to 5 Nm s/rad."
    )


class OpenArmMiniFields(ArmFields):
    """Fields of every OpenArm mini."""

    side: Side | None = Field(default=None, description="left or right: which joints count the other way round.")
    use_degrees: bool = Field(default=True, description="Without effect: joints are always in degrees.")

    @property
    def in_degrees(self) -> bool:
        """See `ArmFields.in_degrees`."""
        return True


class OpenArmFollowerConfig(OpenArmFollowerFields, FollowerConfig):
    """An OpenArm follower."""

    target = "lerobot.openarm.follower:OpenArmFollower"

    type: str = "openarm_follower"


class OpenArmLeaderConfig(OpenArmLeaderFields, LeaderConfig):
    """An OpenArm leader: the same arm, moved by hand."""

    target = "lerobot.openarm.leader:OpenArmLeader"

    type: str = "openarm_leader"


class OpenArmMiniConfig(OpenArmMiniFields, LeaderConfig):
    """An OpenArm mini: a small leader of servos for an OpenArm follower."""

    target = "lerobot.openarm.mini:OpenArmMini"

    type: str = "openarm_mini"


class BiOpenArmFollowerConfig(FollowerPairConfig[OpenArmFollowerFields]):
    """Two OpenArm followers."""

    target = "lerobot.openarm.bimanual:BiOpenArmFollower"

    type: str = "bi_openarm_follower"
    id: str | None = Field(default="bi_openarm_follower", description="Name of this very pair of arms.")


class BiOpenArmLeaderConfig(LeaderPairConfig[OpenArmLeaderFields]):
    """Two OpenArm leaders."""

    target = "lerobot.openarm.bimanual:BiOpenArmLeader"

    type: str = "bi_openarm_leader"


class BiOpenArmMiniConfig(LeaderPairConfig[OpenArmMiniFields]):
    """Two OpenArm minis."""

    target = "lerobot.openarm.bimanual:BiOpenArmMini"

    type: str = "bi_openarm_mini"

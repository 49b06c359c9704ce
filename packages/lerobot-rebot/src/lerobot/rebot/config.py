"""Configurations of the reBot B601 and the reBot 102, single and in pairs."""

from collections.abc import Collection
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lerobot.motors.arms.config import (
    ArmFields,
    FollowerConfig,
    FollowerFields,
    FollowerPairConfig,
    LeaderConfig,
    LeaderPairConfig,
)
from lerobot.rebot.tables import CAN_IDS, DIRECTIONS, JOINTS, LIMITS, SERVO_IDS

Gain = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Speed = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Range = tuple[float, float]


def _require_ranges(name: str, ranges: dict[str, Range]) -> None:
    for joint, (low, high) in ranges.items():
        if not low < high:
            raise ValueError(f"{name} with low < high; {joint} has {low:g} and {high:g}")


def _require_joints(name: str, given: Collection[str], expected: Collection[str]) -> None:
    if set(given) != set(expected):
        raise ValueError(f"{name} for {', '.join(expected)}; it has {', '.join(given) or 'none'}")


class RebotB601FollowerFields(FollowerFields):
    """Fields of a reBot B601."""

    port: str = Field(description="Serial port of the CAN adapter, such as /dev/ttyACM0; or can0 with socketcan.")
    can_adapter: Literal["damiao", "socketcan"] = Field(
        default="damiao", description="What leads to the motors: Damiao's serial adapter, or a CAN interface."
    )
    dm_serial_baud: int = Field(default=921_600, gt=0, description="Bits per second of Damiao's adapter.")
    motor_can_ids: dict[str, tuple[int, int]] = Field(
        default_factory=lambda: dict(CAN_IDS), description="Id and reply id of each motor."
    )
    control_mode: Literal["mit", "pos_vel"] = Field(
        default="mit",
        description="How all joints but the gripper move: mit as a spring and a damper, pos_vel at a speed.",
    )
    mit_kp: Gain | list[Gain] = Field(
        default=[45.0, 45.0, 45.0, 8.0, 9.0, 8.0, 8.0],
        description="Stiffness, Nm/rad: one number, or one per joint.",
    )
    mit_kd: Gain | list[Gain] = Field(
        default=[5.0, 5.0, 5.0, 1.0, 1.0, 1.0, 1.0],
        description="Damping, Nm s/rad: one number, or one per joint. A motor takes 5 at most; more is sent as 5.",
    )
    pos_vel_velocity: Speed | list[Speed] = Field(
        default=[150.0, 150.0, 150.0, 150.0, 150.0, 150.0, 900.0],
        description="Speed with pos_vel, and of the gripper with force_pos, degrees/s: one number, or one per joint.",
    )
    gripper_control_mode: Literal["force_pos", "mit"] = Field(
        default="force_pos",
        description="How the gripper goes to a position: force_pos at a speed, with limited torque.",
    )
    gripper_torque_ratio: float = Field(
        default=0.07, gt=0, le=1, description="Largest torque of the gripper with force_pos, as a part of its motor's."
    )
    gripper_mit_kp: Gain = Field(default=8.0, description="Stiffness of the gripper with mit, Nm/rad.")
    gripper_mit_kd: Gain = Field(default=0.3, description="Damping of the gripper with mit, Nm s/rad.")
    joint_limits: dict[str, Range] = Field(
        default_factory=lambda: dict(LIMITS), description="Range of each joint, degrees."
    )

    @model_validator(mode="after")
    def _joints_are_complete(self) -> Self:
        _require_joints("motor_can_ids", self.motor_can_ids, JOINTS)
        _require_joints("joint_limits", self.joint_limits, JOINTS)
        _require_ranges("joint_limits", self.joint_limits)
        for name in ("mit_kp", "mit_kd", "pos_vel_velocity"):
            numbers = dict(self)[name]
            if isinstance(numbers, list) and len(numbers) != len(JOINTS):
                raise ValueError(f"{name} with one number, or {len(JOINTS)}; it has {len(numbers)}")
        return self

    def per_joint(self, numbers: float | list[float]) -> dict[str, float]:
        """Spread one number, or one per joint, over the joints in the order of `motor_can_ids`."""
        joints = list(self.motor_can_ids)
        return dict(zip(joints, numbers if isinstance(numbers, list) else [numbers] * len(joints), strict=True))


class RebotB601FollowerConfig(RebotB601FollowerFields, FollowerConfig):
    """A reBot B601 follower arm: six joints and a gripper, Damiao motors."""

    target = "lerobot.rebot.follower:RebotB601Follower"

    type: str = "rebot_b601_follower"


class BiRebotB601FollowerConfig(FollowerPairConfig[RebotB601FollowerFields]):
    """Two reBot B601 follower arms."""

    target = "lerobot.rebot.bimanual:BiRebotB601Follower"

    type: str = "bi_rebot_b601_follower"


class Rebot102LeaderFields(ArmFields):
    """Fields of a reBot 102."""

    port: str = Field(description="Serial port of the arm, such as /dev/ttyUSB0; `lerobot find-port` finds it.")
    baudrate: int = Field(default=1_000_000, gt=0, description="Bits per second of the servos.")
    joint_ids: dict[str, Annotated[int, Field(ge=0, le=253)]] = Field(
        default_factory=lambda: dict(SERVO_IDS), description="Id of each servo."
    )
    joint_directions: dict[str, int] = Field(
        default_factory=lambda: dict(DIRECTIONS),
        description="What the angle of each servo is multiplied by: its direction, and the gripper's gear.",
    )
    joint_ranges: dict[str, Range] = Field(
        default_factory=lambda: dict(LIMITS), description="Range of each joint of the follower, degrees."
    )

    @model_validator(mode="after")
    def _joints_are_the_same(self) -> Self:
        _require_joints("joint_directions", self.joint_directions, self.joint_ids)
        _require_joints("joint_ranges", self.joint_ranges, self.joint_ids)
        _require_ranges("joint_ranges", self.joint_ranges)
        if len(set(self.joint_ids.values())) < len(self.joint_ids):
            raise ValueError("joint_ids with another number for each servo")
        if not all(self.joint_directions.values()):
            raise ValueError("joint_directions other than 0")
        return self


class Rebot102LeaderConfig(Rebot102LeaderFields, LeaderConfig):
    """A reBot 102 leader arm: six joints and a gripper, smart servos."""

    target = "lerobot.rebot.leader:Rebot102Leader"

    type: str = "rebot_102_leader"


class BiRebot102LeaderConfig(LeaderPairConfig[Rebot102LeaderFields]):
    """Two reBot 102 leader arms."""

    target = "lerobot.rebot.bimanual:BiRebot102Leader"

    type: str = "bi_rebot_102_leader"

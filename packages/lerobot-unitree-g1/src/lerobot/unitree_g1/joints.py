"""The 29 joints of a G1, in the order of its motors, and the axes of its remote control.

Source:
    https://github.com/unitreerobotics/unitree_ros, robots/g1_description/g1_29dof.xml: limits of the joints.
    huggingface/lerobot 0.6.1: names and gains.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lerobot.core.types import FeatureSpec

MOTORS = 35
"""Motors of a message; the last six are not there."""


@dataclass(frozen=True, slots=True)
class Joint:
    """A joint.

    Attributes:
        name: as huggingface/lerobot has it.
        range: smallest and largest position, radians.
        kp: default stiffness, N m per radian.
        kd: default damping, N m per radian and second.
    """

    name: str
    range: tuple[float, float]
    kp: float
    kd: float

    @property
    def key(self) -> str:
        """Its entry in actions: its position."""
        return f"{self.name}.q"


def _mirrored(span: tuple[float, float], *, is_right: bool) -> tuple[float, float]:
    low, high = span
    return (-high, -low) if is_right else (low, high)


def _leg(side: str) -> tuple[Joint, ...]:
    is_right = side == "Right"
    return (
        Joint(f"k{side}HipPitch", (-2.5307, 2.8798), 150, 2),
        Joint(f"k{side}HipRoll", _mirrored((-0.5236, 2.9671), is_right=is_right), 150, 2),
        Joint(f"k{side}HipYaw", (-2.7576, 2.7576), 150, 2),
        Joint(f"k{side}Knee", (-0.087267, 2.8798), 300, 4),
        Joint(f"k{side}AnklePitch", (-0.87267, 0.5236), 40, 2),
        Joint(f"k{side}AnkleRoll", (-0.2618, 0.2618), 40, 2),
    )


def _arm(side: str) -> tuple[Joint, ...]:
    is_right = side == "Right"
    return (
        Joint(f"k{side}ShoulderPitch", (-3.0892, 2.6704), 50, 3),
        Joint(f"k{side}ShoulderRoll", _mirrored((-1.5882, 2.2515), is_right=is_right), 50, 3),
        Joint(f"k{side}ShoulderYaw", (-2.618, 2.618), 80, 3),
        Joint(f"k{side}Elbow", (-1.0472, 2.0944), 80, 3),
        Joint(f"k{side}WristRoll", (-1.97222, 1.97222), 40, 1.5),
        Joint(f"k{side}WristPitch", (-1.61443, 1.61443), 40, 1.5),
        Joint(f"k{side}WristYaw", (-1.61443, 1.61443), 40, 1.5),
    )


JOINTS: tuple[Joint, ...] = (
    *_leg("Left"),
    *_leg("Right"),
    Joint("kWaistYaw", (-2.618, 2.618), 250, 5),
    Joint("kWaistRoll", (-0.52, 0.52), 250, 5),
    Joint("kWaistPitch", (-0.52, 0.52), 250, 5),
    *_arm("Left"),
    *_arm("Right"),
)
"""By the number of their motor."""

POSITIONS: Mapping[str, FeatureSpec] = {joint.key: FeatureSpec(unit="rad", range=joint.range) for joint in JOINTS}
"""Position of every joint: what is commanded, and recorded as the state."""

MEASURED: Mapping[str, FeatureSpec] = {
    **{f"{joint.name}.dq": FeatureSpec(unit="rad/s") for joint in JOINTS},
    **{f"{joint.name}.tau": FeatureSpec(unit="N m") for joint in JOINTS},
    **{f"imu.gyro.{axis}": FeatureSpec(unit="rad/s") for axis in "xyz"},
    **{f"imu.accel.{axis}": FeatureSpec(unit="m/s2") for axis in "xyz"},
    **{f"imu.quat.{part}": FeatureSpec() for part in "wxyz"},
    **{f"imu.rpy.{angle}": FeatureSpec(unit="rad") for angle in ("roll", "pitch", "yaw")},
}
"""What is measured besides."""

AXES = ("remote.lx", "remote.ly", "remote.rx", "remote.ry")
"""The sticks of the remote control, or of the exoskeleton's hands."""

"""Joints of the arms."""

from collections.abc import Mapping
from types import MappingProxyType

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_yaw", "wrist_roll", "gripper")
GRIPPER = "gripper"

LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "shoulder_pan": (-150.0, 150.0),
        "shoulder_lift": (-200.0, 1.0),
        "elbow_flex": (-200.0, 1.0),
        "wrist_flex": (-80.0, 90.0),
        "wrist_yaw": (-90.0, 90.0),
        "wrist_roll": (-90.0, 90.0),
        "gripper": (-270.0, 0.0),
    }
)
"""Range of each joint of the B601, degrees."""

MODELS: Mapping[str, str] = MappingProxyType(
    {joint: "dm4340p" if joint in JOINTS[:3] else "dm4310" for joint in JOINTS}
)
"""Motor of each joint of the B601."""

CAN_IDS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {joint: (number, 0x10 + number) for number, joint in enumerate(JOINTS, start=1)}
)
"""Id and reply id of each motor of the B601."""

SERVO_IDS: Mapping[str, int] = MappingProxyType({joint: number for number, joint in enumerate(JOINTS)})
"""Id of each servo of the 102."""

DIRECTIONS: Mapping[str, int] = MappingProxyType(dict(zip(JOINTS, (-1, -1, 1, 1, 1, -1, -6), strict=True)))
"""What an angle of each servo of the 102 is multiplied by to be one of the B601's joint."""

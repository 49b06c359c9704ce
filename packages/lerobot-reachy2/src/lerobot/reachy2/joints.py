"""What Reachy 2 can move, and where in its messages each joint stands."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lerobot.core.types import FeatureSpec

Path = tuple[str, ...]
"""Names of fields, from the outside in."""


@dataclass(frozen=True, slots=True)
class Joint:
    """A joint.

    Attributes:
        key: its entry in observations and actions.
        group: which of the robot's parts it is switched on and off with: `r_arm`, `l_arm`, `head`, `r_hand`, `l_hand`.
        component: its actuator in the state of the group; empty for a hand, which is one.
        axis: its position in a position of the actuator; empty if that is a plain number.
        limits: its limits in the state of the actuator.
        range: farthest positions that are ever commanded, degrees; the robot's own limits lie inside.
    """

    key: str
    group: str
    component: str
    axis: Path
    limits: Path
    range: tuple[float, float]

    @property
    def actuator(self) -> str:
        """Name of the actuator, for messages: `r_arm.shoulder`, `l_hand`."""
        return f"{self.group}.{self.component}" if self.component else self.group

    @property
    def state(self) -> Path:
        """Where the state of its actuator stands in the state of the robot."""
        return (f"{self.group}_state", *((f"{self.component}_state",) if self.component else ()))

    @property
    def feature(self) -> FeatureSpec:
        """What its entry is."""
        return FeatureSpec(unit="deg", range=self.range)


# What the vendor's configuration sets (reachy2_core, reachy_config/config/default/*_poulpe2d.yaml), in radians. It sets
# none for the pitch of the shoulder, the yaw of the elbow and the antennas: a whole turn.
SHOULDER_ROLL, ELBOW_PITCH = (-0.55, 2.9), (-2.22, 0.02)
# Roll and pitch of Orbita3d: the vendor's model of the wrist (reachy2_mujoco, mjcf/reachy2.xml).
TILT = (-math.pi / 4, math.pi / 4)
# The finger's motor in the same model: 0 closed, 2.27 open.
FINGER = (0.0, 2.27)
TURN = (-math.pi, math.pi)


def _degrees(low: float, high: float) -> tuple[float, float]:
    return math.degrees(low), math.degrees(high)


def _orbita3d(prefix: str, group: str, component: str, axes: tuple[str, ...]) -> list[Joint]:
    ranges = {"roll": TILT, "pitch": TILT, "yaw": TURN}
    return [
        Joint(f"{prefix}_{axis}.pos", group, component, ("rpy", axis), ("joint_limits", axis), _degrees(*ranges[axis]))
        for axis in axes
    ]


def _orbita2d(side: str, component: str, ranges: Mapping[str, tuple[float, float]]) -> list[Joint]:
    return [
        Joint(
            f"{side}_{component}_{axis}.pos",
            f"{side}_arm",
            component,
            (f"axis_{number}",),
            ("joint_limits", f"axis_{number}"),
            _degrees(*span),
        )
        for number, (axis, span) in enumerate(ranges.items(), start=1)
    ]


def _arm(side: str) -> tuple[Joint, ...]:
    low, high = SHOULDER_ROLL
    roll = (low, high) if side == "l" else (-high, -low)
    gripper = Joint(
        f"{side}_gripper.pos",
        f"{side}_hand",
        "",
        ("parallel_gripper", "position"),
        ("joints_limits", "parallel_gripper", "limits"),
        _degrees(*FINGER),
    )
    return (
        *_orbita2d(side, "shoulder", {"pitch": TURN, "roll": roll}),
        *_orbita2d(side, "elbow", {"yaw": TURN, "pitch": ELBOW_PITCH}),
        *_orbita3d(f"{side}_wrist", f"{side}_arm", "wrist", ("roll", "pitch", "yaw")),
        gripper,
    )


PARTS: Mapping[str, tuple[Joint, ...]] = {
    "neck": tuple(_orbita3d("neck", "head", "neck", ("yaw", "pitch", "roll"))),
    "l_arm": _arm("l"),
    "r_arm": _arm("r"),
    "antennas": tuple(
        Joint(f"{side}_antenna.pos", "head", f"{side}_antenna", (), ("joint_limits",), _degrees(*TURN)) for side in "lr"
    ),
}
"""Joints by the part that a configuration has or leaves out, in the order of recorded vectors."""

BASE_RANGES: Mapping[str, tuple[float, float]] = {
    # What the vendor's SDK lets through at most.
    "mobile_base.vx": (-1.0, 1.0),
    "mobile_base.vy": (-1.0, 1.0),
    "mobile_base.vtheta": (-180.0, 180.0),
}
"""Velocity of the mobile base: forward and to the left in m/s, counter-clockwise in degrees/s."""

BASE_FEATURES: Mapping[str, FeatureSpec] = {
    key: FeatureSpec(unit="deg/s" if key.endswith("theta") else "m/s", range=span) for key, span in BASE_RANGES.items()
}

"""What moves of a virtual Reachy 2: its joints and its base."""

import math
import threading
import time
from typing import Any

from reachy2_sdk_api import mobile_base_utility_pb2 as utility_pb2

from lerobot.reachy2.joints import PARTS, Joint

FULL_SPEED = math.radians(180)
"""Speed of every joint without a limit, radians/s."""
BASE_STOPS_AFTER_S = 0.2
"""How long the base follows one command, as the vendor's does."""


class VirtualJoint:
    """A joint that goes to its goal at its speed, while it is switched on.

    Args:
        joint: which.
    """

    def __init__(self, joint: Joint) -> None:
        self.joint = joint
        low, high = (math.radians(end) for end in joint.range)
        self.limits = (low, high)
        self.position = self.goal = min(max(0.0, low), high)
        self.compliant = True
        self.speed = 1.0
        """Share of its full speed."""

    def move(self, elapsed_s: float) -> None:
        """Let time pass."""
        if self.compliant:
            self.goal = self.position
            return
        step = FULL_SPEED * self.speed * elapsed_s
        self.position += min(max(self.goal - self.position, -step), step)

    def command(self, goal: float) -> None:
        """Take a goal, radians; while it is switched off it takes none."""
        if not self.compliant:
            self.goal = min(max(goal, self.limits[0]), self.limits[1])

    def write(self, state: Any) -> None:
        """Write what it measures into a `ReachyState`."""
        for name in self.joint.state:
            state = getattr(state, name)
        for which, value in (("present_position", self.position), ("goal_position", self.goal)):
            place = getattr(state, which)
            for name in self.joint.axis:
                place = getattr(place, name)
            place.value = value
        place = state
        for name in self.joint.limits:
            place = getattr(place, name)
        if isinstance(place.min, float):
            place.min, place.max = self.limits
        else:
            place.min.value, place.max.value = self.limits
        state.compliant.value |= self.compliant  # an actuator is, if one of its joints is


class VirtualBody:
    """What moves: joints by key, and the mobile base. Any thread may use it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.joints = {joint.key: VirtualJoint(joint) for joints in PARTS.values() for joint in joints}
        self.base_mode = int(utility_pb2.ZuuuModePossiblities.BRAKE)
        self.direction = (0.0, 0.0, 0.0)
        """Velocity the base was told last, m/s and radians/s."""
        self._told_s = -math.inf
        self._moved_s = time.monotonic()

    def drive(self, x: float, y: float, theta: float) -> None:
        """Tell the base how to move, m/s and radians/s."""
        self.direction, self._told_s = (x, y, theta), time.monotonic()

    @property
    def velocity(self) -> tuple[float, float, float]:
        """Velocity the base has, m/s and radians/s."""
        is_driven = self.base_mode == utility_pb2.ZuuuModePossiblities.CMD_VEL
        is_driven &= time.monotonic() - self._told_s < BASE_STOPS_AFTER_S
        return self.direction if is_driven else (0.0, 0.0, 0.0)

    def move(self) -> None:
        """Let the time since the last call pass."""
        now_s = time.monotonic()
        for joint in self.joints.values():
            joint.move(now_s - self._moved_s)
        self._moved_s = now_s

    def of_group(self, group: str) -> list[VirtualJoint]:
        """Joints of a group."""
        return [each for each in self.joints.values() if each.joint.group == group]


def goal_of(commands: Any, joint: Joint) -> float | None:
    """Where a `ReachyComponentsCommands` tells a joint to go, radians; None if it says nothing of it."""
    of_group = getattr(commands, f"{joint.group}_commands")
    place, path = of_group, ("position", *joint.axis)
    if joint.component:
        several = getattr(of_group, f"{joint.component}_command").cmd
        if not several:
            return None
        place, path = several[0], ("goal_position", *joint.axis)
    for name in path:
        if not place.HasField(name):
            return None
        place = getattr(place, name)
    return float(place.value)

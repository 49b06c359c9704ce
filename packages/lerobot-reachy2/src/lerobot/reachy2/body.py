"""The body of Reachy 2 as its messages have it: measuring, commanding, switching on and off."""

import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.empty_pb2 import Empty
from google.protobuf.wrappers_pb2 import FloatValue
from reachy2_sdk_api import (
    arm_pb2,
    arm_pb2_grpc,
    hand_pb2_grpc,
    head_pb2,
    head_pb2_grpc,
    orbita2d_pb2,
    reachy_pb2,
    reachy_pb2_grpc,
)
from reachy2_sdk_api import mobile_base_mobility_pb2 as mobility_pb2
from reachy2_sdk_api import mobile_base_mobility_pb2_grpc as mobility_pb2_grpc
from reachy2_sdk_api import mobile_base_utility_pb2 as utility_pb2
from reachy2_sdk_api import mobile_base_utility_pb2_grpc as utility_pb2_grpc

from lerobot.core.errors import DeviceConnectionError
from lerobot.reachy2.connection import Connection
from lerobot.reachy2.joints import BASE_FEATURES, Joint, Path
from lerobot.remote.wire.errors import WireError

AXES = {"shoulder": ("PITCH", "ROLL"), "elbow": ("YAW", "PITCH")}
"""What the axes of an Orbita2d have to be; `joints` counts them."""
GROUPS = ("r_hand", "r_arm", "l_hand", "l_arm", "head")
"""In the order in which the vendor's SDK switches them on."""
LIMITED = ("r_arm", "l_arm", "head")
"""Groups whose speed and torque can be limited."""
BASE = "mobile_base"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured at once.

    Attributes:
        present: where the joints are, degrees by key; and the base's velocity, m/s and degrees/s.
        goal: where they are told to go; and the velocity that the base is told to have, if that was asked.
        limits: the robot's own limits by key, degrees, of the joints that have some.
        compliant: actuators that are switched off.
    """

    present: Mapping[str, float]
    goal: Mapping[str, float]
    limits: Mapping[str, tuple[float, float]]
    compliant: Collection[str]


class Body:
    """The part of a robot that counts.

    Args:
        device: name of the device, for messages.
        address: `host:port` of the robot's server.
        joints: what counts.
        with_base: whether the mobile base counts.
        answer_s: longest time to wait for an answer, seconds.
    """

    def __init__(self, device: str, address: str, joints: Sequence[Joint], *, with_base: bool, answer_s: float) -> None:
        self._device = device
        self._connection = Connection(device, address, answer_s=answer_s)
        self._joints, self._with_base = joints, with_base
        channel = self._connection.channel
        self._reachy = reachy_pb2_grpc.ReachyServiceStub(channel)
        arm, hand = arm_pb2_grpc.ArmServiceStub(channel), hand_pb2_grpc.HandServiceStub(channel)
        head = head_pb2_grpc.HeadServiceStub(channel)
        self._services = {"r_arm": arm, "l_arm": arm, "r_hand": hand, "l_hand": hand, "head": head}
        self._base = utility_pb2_grpc.MobileBaseUtilityServiceStub(channel)
        self._mobility = mobility_pb2_grpc.MobileBaseMobilityServiceStub(channel)
        self._drives = False

    def open(self, within_s: float) -> None:
        """Ask the robot what it is made of.

        Raises:
            DeviceConnectionError: it is not there, or lacks a part that counts.
        """
        self._robot = self._connection.ask(self._reachy.GetReachy, Empty(), reachy_pb2.Reachy, first_within_s=within_s)
        wanted = {joint.group for joint in self._joints} | ({BASE} if self._with_base else set())
        if missing := sorted(group for group in wanted if not self._robot.HasField(group)):
            raise DeviceConnectionError(
                f"{self._device} has no {', '.join(missing)}.",
                device=self._device,
                hint="Leave out what it has not, such as --robot.with_mobile_base=false.",
            )
        for group in wanted & {"r_arm", "l_arm"}:
            description = getattr(self._robot, group).description
            for component, expected in AXES.items():
                orbita = getattr(description, component)
                found = tuple(orbita2d_pb2.Axis.Name(axis) for axis in (orbita.axis_1, orbita.axis_2))
                if found != expected:
                    raise DeviceConnectionError(
                        f"the {component} of the {group} has the axes {', '.join(found)}.",
                        device=self._device,
                        expected=", ".join(expected),
                    )

    def close(self) -> None:
        """Close the connection; the robot goes on with what it was told."""
        self._connection.close()

    # --- measuring ---------------------------------------------------------------------------------------------------

    def read(self, *, with_commanded_base: bool) -> Reading:
        """Measure.

        Args:
            with_commanded_base: ask also what the base is told.

        Raises:
            WireError: a joint says no number.
            DeviceError: there is no answer.
        """
        state = self._connection.ask(self._reachy.GetReachyState, self._robot.id, reachy_pb2.ReachyState)
        present, goal = dict(positions(state, self._joints, "present")), dict(positions(state, self._joints, "goal"))
        if self._with_base:
            part = self._robot.mobile_base.part_id
            odometry = self._connection.ask(self._base.GetOdometry, part, utility_pb2.OdometryVector)
            present |= _velocity(odometry, ("vx", "vy", "vtheta"))
            if with_commanded_base:
                told = self._connection.ask(self._mobility.GetLastDirection, part, mobility_pb2.DirectionVector)
                goal |= _velocity(told, ("x", "y", "theta"))
        return Reading(present, goal, dict(limits(state, self._joints)), set(_compliant(state, self._joints)))

    # --- commanding --------------------------------------------------------------------------------------------------

    def send(self, goals: Mapping[str, float]) -> None:
        """Tell joints where to go, degrees by key; finite numbers, inside their limits.

        Raises:
            DeviceError: there is no answer; the robot may have heard it nevertheless.
        """
        commands = reachy_pb2.ReachyComponentsCommands()
        for joint in self._joints:
            if joint.key in goals:
                self._add(commands, joint, math.radians(goals[joint.key]))
        self._connection.ask(self._reachy.SendComponentsCommands, commands, Empty)

    def _add(self, commands: Any, joint: Joint, radians: float) -> None:
        of_group = getattr(commands, f"{joint.group}_commands")
        if not joint.component:
            of_group.id.CopyFrom(getattr(self._robot, joint.group).part_id)
            _at(of_group.position, joint.axis).value = radians
            return
        actuator = getattr(getattr(self._robot, joint.group).description, joint.component)
        several = getattr(of_group, f"{joint.component}_command").cmd
        command = several[0] if several else several.add(id=actuator.id)
        _at(command.goal_position, joint.axis).value = radians

    def drive(self, velocity: Mapping[str, float]) -> None:
        """Tell the base how to move; it stops by itself when it is not told again within 0.2 s.

        Args:
            velocity: by the keys of `BASE_FEATURES`.

        Raises:
            DeviceError: there is no answer.
        """
        if not self._drives:
            self._set_base_mode(utility_pb2.ZuuuModePossiblities.CMD_VEL)
            self._drives = True
        x, y, theta = (velocity[key] for key in BASE_FEATURES)
        direction = mobility_pb2.DirectionVector(
            x=FloatValue(value=x), y=FloatValue(value=y), theta=FloatValue(value=math.radians(theta))
        )
        request = mobility_pb2.TargetDirectionCommand(direction=direction)
        self._connection.ask(self._mobility.SendDirection, request, mobility_pb2.MobilityServiceAck)

    def brake(self) -> None:
        """Stop the base and lock its wheels.

        Raises:
            DeviceError: there is no answer.
        """
        self._drives = False
        self._set_base_mode(utility_pb2.ZuuuModePossiblities.BRAKE)

    def _set_base_mode(self, mode: int) -> None:
        request = utility_pb2.ZuuuModeCommand(mode=mode)
        self._connection.ask(self._base.SetZuuuMode, request, mobility_pb2.MobilityServiceAck)

    # --- switching ---------------------------------------------------------------------------------------------------

    def switch(self, *, on: bool) -> None:
        """Switch the motors on or off.

        Raises:
            DeviceError: there is no answer.
        """
        for group in self._used(GROUPS):
            service = self._services[group]
            self._connection.ask(service.TurnOn if on else service.TurnOff, self._part(group), Empty)

    def limit_speed(self, percent: int) -> None:
        """Limit the speed of arms and head to a share of what their motors can."""
        for group in self._used(LIMITED):
            self._limit(group, "Speed", percent)

    def limit_torque(self, percent: int) -> None:
        """Limit the torque of the arms to a share of what their motors can."""
        for group in self._used(LIMITED[:2]):
            self._limit(group, "Torque", percent)

    def lift_limits(self) -> None:
        """Let speed and torque of arms and head be what their motors can."""
        for group in self._used(LIMITED):
            self._limit(group, "Speed", 100)
            self._limit(group, "Torque", 100)

    def _limit(self, group: str, what: str, percent: int) -> None:
        messages = head_pb2 if group == "head" else arm_pb2
        request = getattr(messages, f"{what}LimitRequest")(id=self._part(group), limit=percent)
        self._connection.ask(getattr(self._services[group], f"Set{what}Limit"), request, Empty)

    def let_down(self, duration_s: float) -> None:
        """Let the arms sink under their weight, ever more easily, and switch the motors off.

        Torque goes from 35 to 15 percent in three steps, as in the vendor's SDK.
        """
        if self._used(LIMITED[:2]):
            for percent in (35, 25, 15):
                self.limit_torque(percent)
                time.sleep(duration_s / 3)
        self.switch(on=False)
        self.limit_torque(100)

    def _used(self, groups: Sequence[str]) -> list[str]:
        used = {joint.group for joint in self._joints}
        return [group for group in groups if group in used]

    def _part(self, group: str) -> Any:
        return getattr(self._robot, group).part_id


# --- reading messages ------------------------------------------------------------------------------------------------


def _at(message: Any, path: Path) -> Any:
    """What stands at a path of a message."""
    for name in path:
        message = getattr(message, name)
    return message


def _has(message: Any, path: Path) -> bool:
    """Whether all of a path was said; a plain number always is."""
    for name in path:
        field = message.DESCRIPTOR.fields_by_name[name]
        if field.message_type is not None and not message.HasField(name):
            return False
        message = getattr(message, name)
    return True


def positions(state: Any, joints: Sequence[Joint], which: str) -> Iterator[tuple[str, float]]:
    """Read positions of a `ReachyState`.

    Args:
        state: as it came; anything may come.
        joints: whose.
        which: `"present"` or `"goal"`.

    Raises:
        WireError: one is missing or no number; names it.
    """
    for joint in joints:
        path = (*joint.state, f"{which}_position", *joint.axis)
        value = _at(state, path).value if _has(state, path) else math.nan
        if not math.isfinite(value):
            raise WireError(f"{joint.key} has no {which} position", expected="a number")
        yield joint.key, math.degrees(value)


def limits(state: Any, joints: Sequence[Joint]) -> Iterator[tuple[str, tuple[float, float]]]:
    """Read the robot's own limits of a `ReachyState`, degrees; joints without any are left out."""
    for joint in joints:
        path = (*joint.state, *joint.limits)
        if not _has(state, path):
            continue
        said = _at(state, path)
        if not _has(said, ("min",)) or not _has(said, ("max",)):
            continue
        low, high = (each if isinstance(each, float) else each.value for each in (said.min, said.max))
        if low < high:  # which is false for NaN too
            yield joint.key, (math.degrees(low), math.degrees(high))


def _compliant(state: Any, joints: Sequence[Joint]) -> Iterator[str]:
    for joint in joints:
        if _at(state, (*joint.state, "compliant")).value:
            yield joint.actuator


def _velocity(message: Any, fields: Sequence[str]) -> dict[str, float]:
    """The base's velocity in a message that has it in m/s and radians/s.

    Raises:
        WireError: a part of it is missing or no number; names it.
    """
    x, y, theta = (getattr(message, field).value if message.HasField(field) else math.nan for field in fields)
    values = dict(zip(BASE_FEATURES, (x, y, math.degrees(theta)), strict=True))
    for key, value in values.items():
        if not math.isfinite(value):
            raise WireError(f"{key} is {value}", expected="a number")
    return values

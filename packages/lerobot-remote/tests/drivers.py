"""A served arm that says whether it is safe, and clients that drive it: ours, and one that only knows the wire."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from websockets.sync.client import connect

from lerobot.core.errors import LeRobotError
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.robot import COMMAND, FakeRobot
from lerobot.core.safety import SafetyConfig
from lerobot.core.testing.contracts.values import middle_action
from lerobot.remote.config import RemoteRobotConfig
from lerobot.remote.device.robot import RemoteRobot
from lerobot.remote.wire.codec import pack
from lerobot.remote.wire.handshake import OURS
from lerobot.remote.wire.topics import COMMAND as COMMAND_TOPIC

LONG_S = 30.0
QUICK = SafetyConfig(ramp_s=0.1, max_command_age_s=0.2, stop_after_s=0.5)
"""Where something ends a run."""
PATIENT = SafetyConfig(ramp_s=0.1, max_command_age_s=5.0, stop_after_s=10 * LONG_S)
"""Where nothing may, however busy the machine is, or where silence alone would not do it."""


def eventually(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + LONG_S
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


class Arm(FakeRobot):
    """Says whether it was let go of with its motors on."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(FakeRobotConfig(disable_torque_on_disconnect=False, **fields))

    @property
    def is_safe(self) -> bool:
        return not self.is_connected and not self.torque_enabled

    @property
    def commands(self) -> list[dict[str, float]]:
        return [entry.values for entry in list(self.log) if entry.event == COMMAND]


@contextlib.contextmanager
def driving(address: str, **fields: Any) -> Iterator[RemoteRobot]:
    robot = RemoteRobot(RemoteRobotConfig(address=address, **fields))
    robot.connect()
    try:
        robot.send_action(middle_action(robot.action_features))
        yield robot
    finally:
        robot.disconnect()


def drive_until_it_fails(robot: RemoteRobot) -> LeRobotError:
    """Command at 50 Hz, as a control loop does, until something ends it."""
    goal = middle_action(robot.action_features)
    until = time.monotonic() + LONG_S
    while time.monotonic() < until:
        try:
            robot.get_observation()
            robot.send_action(goal)
        except LeRobotError as error:
            return error
        time.sleep(0.02)
    raise AssertionError("nothing ended it")


@contextlib.contextmanager
def raw_driver(address: str, *, token_file: Any = None, headers: Any = None) -> Iterator[Any]:
    """A connection that has begun, without our client."""
    robot = RemoteRobot(RemoteRobotConfig(address=address, token_file=token_file))
    description = robot.description
    with connect(
        address, additional_headers=headers, compression=None, max_size=None, max_queue=None, close_timeout=0.2
    ) as line:
        line.recv()
        line.send(pack({OURS: "begin", "wire": 1, "plugin_api": 1, "kind": "robot", "digest": description.digest}))
        yield line, middle_action(robot.action_features)


def command(action: Any, **changes: Any) -> dict[str, Any]:
    return {OURS: COMMAND_TOPIC, "values": action, "number": 1, "stamp": time.monotonic(), **changes}

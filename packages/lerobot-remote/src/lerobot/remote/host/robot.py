"""The host of a robot: one client at a time drives it, through the gate; whatever happens ends in the safe state."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lerobot.core.clock import MonotonicClock, clock_of
from lerobot.core.errors import ConfigError, ConfigProblem, DeviceError, LeRobotError, SafetyError
from lerobot.core.protocols.robot import Robot
from lerobot.core.safety import GatedRobot, SafetyConfig, SafetyGate, SentCommand, Session, check_safety, safe_end
from lerobot.core.safety.safe_end import SAFE_STATE
from lerobot.core.signals import check_stop
from lerobot.core.types import Action, Observation, as_features
from lerobot.remote.host.client import Client, Message
from lerobot.remote.newest import Newest
from lerobot.remote.wire.errors import RefusedError
from lerobot.remote.wire.handshake import Description
from lerobot.remote.wire.link import Link
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.remote.wire.topics import COMMAND, LEAVE, OBSERVATION, SENT, number, plain, values, write_stamp

log = logging.getLogger(__name__)

POLL_S = 0.1
GRACE_S = 1.0
LEAVING_S = 10.0
"""So long a new client waits for the robot of one that leaves to be in its safe state."""
LEFT = "the client left"


@dataclass(frozen=True, slots=True)
class Command:
    """What a client asks for.

    Attributes:
        action: targets by key; anything may stand in it.
        number: counted by the client.
        time_s: when it was made, on this computer's clock, as the client estimates it.
    """

    action: Action
    number: int
    time_s: float


class Driver:
    """The one client that drives the robot.

    Args:
        client: its connection, begun.
        max_age_s: see `Newest`; the gate looks at the age itself.
    """

    def __init__(self, client: Client, max_age_s: float) -> None:
        self.client = client
        self.commands: Newest[Command] = Newest(client.name, max_age_s=max_age_s)
        self.left = threading.Event()

    @property
    def is_leaving(self) -> bool:
        """Whether it commands nothing any more."""
        return self.left.is_set() or self.client.gone.is_set()

    def handle(self, topic: str, message: Message) -> bool:
        """Take in a message, in the thread of the connection."""
        if topic == COMMAND:
            command = Command(values(message), int(number(message, "number")), number(message, "stamp"))
            self.commands.put(command)
        elif topic == LEAVE:
            self.left.set()
        else:
            return False
        return True


class RobotHost:
    """Serves a robot; `handle` is called by the server with every connection, `run` in the main thread.

    The robot is connected when a client begins, driven through `GatedRobot`, and brought to its safe state and
    disconnected when the client ends, is gone, sends what is no message, or sends no usable command for
    `SafetyConfig.stop_after_s`. Until its first command a client has to show that it lives in the same time. A second
    client is refused.

    Args:
        robot: not connected.
        safety: limits, ramp and freshness, whatever the client does about its own.
        fps: observations per second.
        pictures: how pictures are sent.

    Raises:
        SafetyError: no limits can be derived.
        ConfigError: the robot does not live in real time.
    """

    def __init__(self, robot: Robot, safety: SafetyConfig, *, fps: float, pictures: PictureEncoder) -> None:
        if not isinstance(clock_of(robot), MonotonicClock):
            raise ConfigError(
                [ConfigProblem("--robot.realtime", None, "true: a robot behind a wire lives in real time")]
            )
        check_safety(robot, safety)
        self._robot = robot
        self._safety = safety
        self._fps = fps
        self._pictures = pictures
        self._changed = threading.Condition()
        self._driver: Driver | None = None
        self._stopped = False

    @property
    def description(self) -> Description:
        """What is served."""
        return Description(
            "robot",
            self._robot.name,
            {
                "observation": as_features(self._robot.observation_features),
                "action": as_features(self._robot.action_features),
            },
            {"fps": float(self._fps), "safe_state": self._robot.safe_state},
        )

    def check(self) -> None:
        """Connect the robot once and let go of it again, so that what is wrong shows before a client comes.

        Raises:
            LeRobotError: it cannot be connected.
        """
        with safe_end(self._robot) as session:
            session.connect()

    # --- threads of connections --------------------------------------------------------------------------------------

    def handle(self, link: Link) -> None:
        """Serve one connection."""
        client = Client(link)
        if not client.await_begin(self.description):
            return
        driver = Driver(client, self._safety.max_command_age_s)
        self._take_seat(driver)
        try:
            client.read(driver.handle)
        finally:
            # The connection stays open until the robot is safe and the client was told so.
            with self._changed:
                self._changed.wait_for(lambda: self._driver is not driver)

    def _take_seat(self, driver: Driver) -> None:
        """Let a client drive, once the one before, if it is leaving, has left the robot in its safe state.

        Raises:
            RefusedError: another one drives.
        """
        with self._changed:
            asked_s = time.monotonic()
            while (present := self._driver) is not None:
                # A client that has just gone may not have been missed yet.
                if time.monotonic() - asked_s > (LEAVING_S if present.is_leaving else GRACE_S):
                    break
                self._changed.wait(POLL_S)
            if self._stopped:
                raise RefusedError("the host was stopped")
            if self._driver is not None:
                name = self._driver.client.name
                raise RefusedError(f"the robot is driven by {name}", hint="One client drives at a time.")
            self._driver = driver
            self._changed.notify_all()

    # --- main thread -------------------------------------------------------------------------------------------------

    def run(self, stop: threading.Event | None = None) -> None:
        """Serve one client after the other, until `stop` is set or a signal comes.

        Raises:
            SafetyError: the safe state could not be reached.
        """
        stop = stop or threading.Event()
        try:
            while not stop.is_set():
                # A signal that came while a robot went to its safe state interrupted nothing.
                check_stop()
                with self._changed:
                    self._changed.wait_for(lambda: self._driver is not None, POLL_S)
                    driver = self._driver
                if driver is not None:
                    self._serve(driver, stop)
                    self._free()
        finally:
            self._stopped = True
            self._free()

    def _free(self) -> None:
        with self._changed:
            self._driver = None
            self._changed.notify_all()

    def _serve(self, driver: Driver, stop: threading.Event) -> None:
        log.info("%s drives the robot", driver.client.name)
        session: Session | None = None
        reason = "the host was stopped"
        try:
            with safe_end(self._robot) as session:
                began_with = self.description.digest
                session.connect()
                if self.description.digest != began_with:
                    raise DeviceError("connecting changed what the robot takes or measures.", hint="Connect again.")
                gate = SafetyGate.for_robot(self._robot, self._safety)
                gated = GatedRobot(self._robot, gate, source=driver.client.name)
                try:
                    reason = self._drive(gated, driver, stop)
                finally:
                    gated.rest()
        except LeRobotError as error:
            reason = str(error)
            log.warning("%s: %s", driver.client.name, error.what)
        finally:
            failed = [name for name, _ in session.failures] if session is not None else []
            driver.client.end(reason, safe=SAFE_STATE not in failed)
            log.info("%s drives no more: %s", driver.client.name, reason.partition("\n")[0])
        if SAFE_STATE in failed:
            raise SafetyError(reason, hint=f"The robot may not be in its safe state ({self._robot.safe_state}).")

    def _drive(self, gated: GatedRobot, driver: Driver, stop: threading.Event) -> str:
        """Drive until the client is done; why it is."""
        client, clock = driver.client, gated.clock
        follower = _Follower(gated, driver)
        client.heard_s = clock.now()
        client.ready()
        deadline = clock.now()
        while not stop.is_set():
            if driver.left.is_set():
                return LEFT
            if client.gone.is_set():
                return f"the client is gone: {client.failure}" if client.failure else LEFT
            observation = gated.observe()
            client.publish(OBSERVATION, self._told(observation))
            deadline = max(deadline + 1 / self._fps, clock.now())
            follower.follow_until(deadline)
            if not follower.begun and clock.now() - client.heard_s > self._safety.stop_after_s:
                raise DeviceError(f"nothing came from {client.name} for {self._safety.stop_after_s:g} s.")
        return "the host was stopped"

    def _told(self, observation: Observation) -> Callable[[], Message]:
        encode = self._pictures

        def make() -> Message:
            return {
                "values": {key: encode(plain(value)) for key, value in observation.items()},
                "stamps": {key: write_stamp(stamp) for key, stamp in observation.stamps.items()},
            }

        return make


class _Follower:
    """Sends a client's commands on, each at once, and the newest again where none came in time.

    A command stands until it is older than the gate allows; then the gate holds, and ends the run.
    """

    def __init__(self, gated: GatedRobot, driver: Driver) -> None:
        self._gated = gated
        self._driver = driver
        self._newest: Command | None = None
        self._sequence = -1

    @property
    def begun(self) -> bool:
        """Whether a command came at all."""
        return self._newest is not None

    def follow_until(self, deadline_s: float) -> None:
        """Follow commands until the deadline; at least one is sent if any came so far."""
        sent = False
        while (left_s := deadline_s - time.monotonic()) > 0 and not self._driver.client.gone.is_set():
            try:
                came = self._driver.commands.wait(after=self._sequence, timeout_s=min(left_s, POLL_S))
            except TimeoutError:
                continue
            self._newest, self._sequence, sent = came.value, came.sequence, True
            self._send(came.value)
        if self._newest is not None and not sent:
            self._send(self._newest)

    def _send(self, command: Command) -> None:
        done: SentCommand = self._gated.send(command.action, command_time_s=command.time_s)
        told: dict[str, Any] = {key: plain(value) for key, value in done.sent.items()}
        self._driver.client.publish(SENT, lambda: {"values": told, "number": command.number})

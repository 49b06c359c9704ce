"""Every way out of a run ends in the robot's safe state."""

import logging
import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lerobot.core.errors import DeviceError, LeRobotError, NotConnectedError, SafetyError
from lerobot.core.protocols.device import Calibratable
from lerobot.core.protocols.robot import Robot
from lerobot.core.safety.interventions import intervention_log
from lerobot.core.safety.latch import stop_latch
from lerobot.core.safety.loops import announced
from lerobot.core.signals import HOLD_NAME, StopSignals

log = logging.getLogger(__name__)

SAFE_STATE = "enter_safe_state"


class Session:
    """The devices of one run, and what must happen to them at its end.

    Made by `safe_end`; a command connects through it and leaves the rest to it.

    Attributes:
        robot: the robot.
        others: teleoperators, in the order in which they are connected.
        signals: the stop signals of this run; give them to the control loop.
        failures: what went wrong while ending: step and error.
    """

    def __init__(self, robot: Robot, others: tuple[Calibratable, ...], signals: StopSignals) -> None:
        self.robot = robot
        self.others = others
        self.signals = signals
        self.failures: list[tuple[str, BaseException]] = []
        self._closers: list[tuple[str, Callable[[], object]]] = []
        self._robot_touched = robot.is_connected
        self._robot_connected = robot.is_connected
        self._left: deque[tuple[str, Callable[[], object]]] | None = None

    def connect(self, calibrate: bool = True) -> None:
        """Connect what is not connected: the robot last, so that it is energised only when all else works.

        Args:
            calibrate: let devices calibrate themselves if they must.

        Raises:
            SafetyError: a stop is latched; nothing gets power.
            DeviceError: a device cannot be reached.
        """
        stop_latch().require_free()
        for device in self.others:
            if not device.is_connected:
                _connect("teleoperator", device, calibrate)
        if not self._robot_connected:
            self._robot_touched = True
            _connect("robot", self.robot, calibrate)
            self._robot_connected = True

    def close_later(self, name: str, close: Callable[[], object]) -> None:
        """Call `close` at the end, after the devices, the latest first; `name` is for messages."""
        self._closers.append((name, close))

    def end(self, patience_s: float) -> None:
        """Bring the robot to its safe state, then release everything; each step runs whatever the others did.

        Calling it again goes on with the steps that are left.

        Args:
            patience_s: seconds after which a signal may interrupt a step that hangs.
        """
        if self._left is None:
            self._left = deque(self._steps())
        # Only a step itself may be interrupted, never what lies between two of them.
        with self.signals.shielded(math.inf):
            while self._left:
                self._step(*self._left[0], patience_s)
                self._left.popleft()

    def _steps(self) -> Iterator[tuple[str, Callable[[], object]]]:
        if self._robot_touched:
            yield SAFE_STATE, self.robot.enter_safe_state
        for device in (*self.others, self.robot):
            yield f"disconnect of {device}", device.disconnect
        yield from reversed(self._closers)
        yield "safety log", intervention_log().settle

    def _step(self, name: str, action: Callable[[], object], patience_s: float) -> None:
        # The safe state may be entered repeatedly: it gets a second try if the first was interrupted.
        tries = 2 if name == SAFE_STATE else 1
        for left in reversed(range(tries)):
            try:
                with self.signals.shielded(patience_s):
                    action()
            except KeyboardInterrupt as error:
                if left:
                    continue
                self.failures.append((name, error))
            except NotConnectedError as error:
                if self._robot_connected:
                    self.failures.append((name, error))
            except BaseException as error:  # noqa: BLE001 - the steps that follow must run whatever happened in this one
                self.failures.append((name, error))
            return

    def report(self, cause: BaseException | None) -> None:
        """Say what failed while ending, without hiding the error that ended the run.

        Raises:
            SafetyError: the safe state was not reached and nothing else had gone wrong before.
            DeviceError: another step failed and nothing else had gone wrong before.
            LeRobotError: that of the only step that failed, if it was no device's.
        """
        if not self.failures:
            return
        only = self.failures[0][1] if len(self.failures) == 1 else None
        if cause is None and isinstance(only, LeRobotError) and not isinstance(only, DeviceError | SafetyError):
            raise only
        texts = [f"{name}: {type(error).__name__}: {error}" for name, error in self.failures]
        energised = any(name == SAFE_STATE for name, _ in self.failures)
        what = f"the run did not end cleanly: {'; '.join(texts)}"
        hint = f"The robot may not be in its safe state ({self.robot.safe_state}): cut its power." if energised else ""
        error = SafetyError(what, hint=hint) if energised else DeviceError(what, device=str(self.robot))
        if cause is None:
            raise error from self.failures[0][1]
        log.critical("%s", error)
        cause.add_note(str(error))


def _latch_stop() -> None:
    stop_latch().set("no reason given", f"signal {HOLD_NAME}")


def _connect(role: str, device: Calibratable, calibrate: bool) -> None:
    try:
        device.connect(calibrate=calibrate)
    except DeviceError as error:
        error.tell_role(role, device)
        raise


@contextmanager
def safe_end(robot: Robot, *others: Calibratable, patience_s: float = 3.0) -> Iterator[Session]:
    """Run a command's body so that every way out of it leaves the robot in its safe state and all devices released.

    The run is announced to `lerobot stop`, and the signal `HOLD_NAME` latches a stop; see `Latch`.

    On return, any exception, Ctrl-C once or twice and every other signal of `signals.NAMES`, at any point from the
    first `connect` on: the robot enters its safe state, then teleoperators and robot are disconnected, then what was
    given to `close_later` is closed. No step is skipped because an earlier one failed.

    Args:
        robot: the robot; need not be connected yet.
        *others: teleoperators.
        patience_s: while ending, a further Ctrl-C interrupts a step only if it already takes this many seconds.

    Yields:
        The session to connect with.

    Raises:
        SafetyError: the safe state could not be reached, and the body had not failed.
        DeviceError: a device could not be released, and the body had not failed.
        LeRobotError: what was closed later failed with it, such as a dataset that could not be saved, and nothing else.
    """
    with announced(robot), StopSignals(hold=_latch_stop) as signals:
        session = Session(robot, others, signals)
        cause: BaseException | None = None
        try:
            # Twice, because a signal can strike between the body and the first statement of a `finally`.
            try:
                yield session
            except BaseException as error:
                cause = error
                raise
            finally:
                session.end(patience_s)
        finally:
            session.end(patience_s)
            session.report(cause)

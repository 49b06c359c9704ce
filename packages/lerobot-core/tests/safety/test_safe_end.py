"""Every way out ends in the safe state, every step of the end is taken, and the cause is kept."""

import signal
import time

import pytest

from lerobot.core.errors import DeviceError, DeviceTimeoutError, NotConnectedError, SafetyError
from lerobot.core.safety import Interrupted, StopSignals, safe_end


class Device:
    """Writes down what happens to it; fails where it is told to."""

    safe_state = "torque off"

    def __init__(self, name, log, **failures):
        self.name = name
        self.log = log
        self.failures = failures
        self.is_connected = False

    def __str__(self):
        return self.name

    def _do(self, what):
        self.log.append(f"{self.name} {what}")
        if failures := self.failures.get(what):
            failure = failures.pop(0) if isinstance(failures, list) else failures
            if callable(failure) and not isinstance(failure, type):
                failure()
            else:
                raise failure

    def connect(self, calibrate=True):
        self._do("connect")
        self.is_connected = True

    def enter_safe_state(self):
        self._do("safe")

    def disconnect(self):
        self._do("disconnect")
        self.is_connected = False


ENDING = ["robot safe", "teleop disconnect", "robot disconnect", "closed"]


def run(log, body=lambda: None, robot=None, teleop=None, close=None, **options):
    robot = robot or Device("robot", log)
    with safe_end(robot, teleop or Device("teleop", log), **options) as session:
        session.close_later("recorder", close or (lambda: log.append("closed")))
        session.connect()
        body()
    return session


def test_the_robot_is_connected_last_and_made_safe_first():
    log = []
    run(log)
    assert log == ["teleop connect", "robot connect", *ENDING]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(3), DeviceError("lost")])
def test_an_exception_in_the_body_takes_every_step_and_comes_out_unchanged(error):
    log = []

    def body():
        raise error

    with pytest.raises(type(error)) as caught:
        run(log, body)
    assert caught.value is error
    assert log[2:] == ENDING


@pytest.mark.parametrize("error", [KeyboardInterrupt, DeviceTimeoutError("dead")])
def test_a_connection_that_fails_halfway_still_ends_safely(error):
    log = []
    robot = Device("robot", log, connect=error, safe=NotConnectedError("not connected"))
    with pytest.raises(error if isinstance(error, type) else type(error)) as caught:
        run(log, robot=robot)
    assert log == ["teleop connect", "robot connect", *ENDING]
    assert not hasattr(caught.value, "__notes__")


def test_a_robot_that_was_never_touched_is_left_alone():
    log = []
    with pytest.raises(DeviceError, match="no leader"):
        run(log, teleop=Device("teleop", log, connect=DeviceError("no leader")))
    assert log == ["teleop connect", "teleop disconnect", "robot disconnect", "closed"]


def test_a_robot_that_lost_its_connection_is_still_made_safe():
    log = []
    robot = Device("robot", log)

    def lose():
        robot.is_connected = False

    run(log, lose, robot=robot)
    assert log[2:] == ENDING


def test_failing_steps_do_not_keep_the_others_from_running():
    log = []
    robot = Device("robot", log, safe=DeviceError("bus dead"), disconnect=OSError("gone"))
    teleop = Device("teleop", log, disconnect=RuntimeError("stuck"))

    def close():
        log.append("closed")
        raise ValueError("disk full")

    with pytest.raises(SafetyError) as caught:
        run(log, robot=robot, teleop=teleop, close=close)
    assert log[2:] == ENDING
    for part in ("bus dead", "stuck", "gone", "disk full"):
        assert part in str(caught.value)
    assert "(torque off): cut its power" in caught.value.hint
    assert isinstance(caught.value.__cause__, DeviceError)


def test_a_failure_of_another_step_is_no_safety_error():
    log = []
    with pytest.raises(DeviceError, match="stuck") as caught:
        run(log, teleop=Device("teleop", log, disconnect=RuntimeError("stuck")))
    assert "cut its power" not in str(caught.value)


def test_the_original_cause_wins_and_carries_what_failed_afterwards(caplog):
    log = []
    error = ValueError("first")

    def body():
        raise error

    with pytest.raises(ValueError, match="first") as caught:
        run(log, body, robot=Device("robot", log, safe=DeviceError("bus dead")))
    assert caught.value is error
    assert "bus dead" in caught.value.__notes__[0]
    assert "cut its power" in caplog.text


def test_an_interrupt_inside_the_safe_state_is_answered_by_a_second_try():
    log = []
    run(log, robot=Device("robot", log, safe=[KeyboardInterrupt()]))
    assert log[2:] == ["robot safe", *ENDING]


def test_an_interrupt_inside_every_step_still_takes_every_step():
    log = []
    robot = Device("robot", log, safe=[KeyboardInterrupt(), KeyboardInterrupt()], disconnect=KeyboardInterrupt)
    with pytest.raises(SafetyError):
        run(log, robot=robot, teleop=Device("teleop", log, disconnect=KeyboardInterrupt))
    assert log[2:] == ["robot safe", *ENDING]


def raise_signal():
    signal.raise_signal(signal.SIGINT)


def test_a_signal_during_the_end_does_not_cut_it_short():
    log = []
    robot = Device("robot", log, safe=[raise_signal], disconnect=[raise_signal])
    session = run(log, robot=robot)
    assert log[2:] == ENDING
    assert session.signals.received == signal.SIGINT


def test_a_step_that_hangs_can_be_interrupted():
    log = []

    def hang():
        time.sleep(0.02)
        raise_signal()
        log.append("not reached")

    with pytest.raises(DeviceError, match="teleop: Interrupted: SIGINT"):
        run(log, teleop=Device("teleop", log, disconnect=[hang]), patience_s=0.01)
    assert log[2:] == ENDING


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP"])
def test_no_signal_of_a_terminal_leaves_the_robot_energised(name):
    log = []
    with pytest.raises(Interrupted, match=name):
        run(log, lambda: signal.raise_signal(getattr(signal, name)))
    assert log[2:] == ENDING


def test_outside_a_loop_a_signal_interrupts_at_once():
    log = []
    with pytest.raises(Interrupted) as caught:
        run(log, raise_signal)
    assert caught.value.number == signal.SIGINT
    assert log[2:] == ENDING


def test_in_a_loop_the_first_signal_asks_and_the_second_interrupts():
    with StopSignals() as signals, signals.graceful():
        raise_signal()
        assert signals.stop_requested
        with pytest.raises(Interrupted):
            raise_signal()
    assert signals.exit_code == 130


def test_handlers_are_restored():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    run([])
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with StopSignals():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_another_thread_installs_no_handlers():
    import threading

    seen = []

    def body():
        with StopSignals():
            seen.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert seen == [before]


@pytest.mark.parametrize(("name", "role"), [("leader", "teleoperator"), ("arm", "robot")])
def test_a_device_that_cannot_be_connected_is_named_with_its_role(name, role):
    failing = {name: {"connect": DeviceError("Could not connect on port '/dev/ttyACM0'.", device="/dev/ttyACM0")}}
    robot, leader = (Device(each, [], **failing.get(each, {})) for each in ("arm", "leader"))
    with pytest.raises(DeviceError) as caught, safe_end(robot, leader) as session:
        session.connect()
    assert str(caught.value).startswith(f"{role} {name}: Could not connect on port")

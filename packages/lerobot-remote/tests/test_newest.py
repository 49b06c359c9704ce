"""Newest values, the thread that receives them, and the watchdog; time is waited for, never measured."""

import queue
import threading
import time

import pytest

from lerobot.core.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError
from lerobot.remote.newest import Newest, Timed
from lerobot.remote.receiver import Receiver
from lerobot.remote.watchdog import Watchdog

LONG_S = 30.0


@pytest.fixture
def mailbox() -> Newest[str]:
    return Newest("arm", max_age_s=LONG_S)


def test_the_newest_value_wins(mailbox: Newest[str]) -> None:
    assert mailbox.fresh() is None
    mailbox.put("old")
    mailbox.put("new")
    assert mailbox.latest().value == "new"
    assert mailbox.latest().sequence == 1
    assert mailbox.fresh() == mailbox.latest()


def test_a_value_that_is_too_old_is_not_given_out(mailbox: Newest[str]) -> None:
    with pytest.raises(DeviceTimeoutError, match="nothing yet"):
        mailbox.latest()
    mailbox.put("old", time.monotonic() - LONG_S - 1)
    assert mailbox.fresh() is None
    with pytest.raises(DeviceTimeoutError, match=r"nothing new for 31\.\d\d s"):
        mailbox.latest()


def test_a_failure_is_told_until_something_comes(mailbox: Newest[str]) -> None:
    mailbox.put("before")
    mailbox.fail(DeviceConnectionError("the line is cut"))
    assert mailbox.fresh() is None
    for read in (mailbox.latest, lambda: mailbox.wait(timeout_s=LONG_S)):
        with pytest.raises(DeviceConnectionError, match="cut"):
            read()
    mailbox.put("after")
    assert mailbox.latest().value == "after"


def test_waiting_is_for_what_comes_after(mailbox: Newest[str]) -> None:
    mailbox.put("first")
    assert mailbox.wait(timeout_s=0).value == "first"
    with pytest.raises(DeviceTimeoutError):
        mailbox.wait(after=0, timeout_s=0.01)
    later = threading.Timer(0.05, mailbox.put, ["second"])
    later.start()
    assert mailbox.wait(after=0, timeout_s=LONG_S).value == "second"
    later.join()


def from_queue(wire: "queue.Queue[object]"):
    """A receive function on a queue; exceptions that lie in it are raised."""

    def receive(timeout_s: float):
        try:
            came = wire.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(came, Exception):
            raise came
        return came

    return receive


@pytest.fixture
def wire():
    return queue.Queue()


@pytest.fixture
def receiver(wire):
    receiver = Receiver("arm", from_queue(wire), max_age_s=LONG_S)
    yield receiver
    receiver.stop()


def test_a_receiver_waits_for_its_first_value_and_keeps_the_newest(wire, receiver) -> None:
    wire.put("first")
    assert receiver.start(first_within_s=LONG_S).value == "first"
    wire.put(Timed("second", 12.5, 0))
    second = receiver.newest.wait(after=0, timeout_s=LONG_S)
    assert (second.value, second.time_s, second.sequence) == ("second", 12.5, 1)


def test_a_receiver_says_that_nothing_came(receiver) -> None:
    with pytest.raises(DeviceTimeoutError, match="arm sent nothing new within"):
        receiver.start(first_within_s=0.01)


@pytest.mark.parametrize("failure", [DeviceConnectionError("cut"), OSError("no route")])
def test_what_ends_receiving_is_told_and_it_can_be_started_again(wire, receiver, failure: Exception) -> None:
    wire.put(failure)
    with pytest.raises(DeviceError, match=str(failure)):
        receiver.start(first_within_s=LONG_S)
    receiver.stop()
    wire.put("back")
    assert receiver.start(first_within_s=LONG_S).value == "back"


def test_a_stopped_receiver_leaves_no_thread(wire, receiver) -> None:
    before = set(threading.enumerate())
    wire.put("first")
    receiver.start(first_within_s=LONG_S)
    receiver.stop()
    receiver.stop()
    assert not set(threading.enumerate()) - before


@pytest.fixture
def acted():
    return queue.Queue()


def watched(limit_s: float, acted) -> Watchdog:
    return Watchdog(limit_s, lambda: acted.put("stop"), name="arm")


def test_a_watchdog_acts_once_per_silence(acted) -> None:
    watchdog = watched(0.02, acted)
    watchdog.start()
    try:
        with pytest.raises(queue.Empty):  # nobody commanded anything yet
            acted.get(timeout=0.1)
        for _ in range(2):
            watchdog.feed()
            assert acted.get(timeout=LONG_S) == "stop"
            with pytest.raises(queue.Empty):
                acted.get(timeout=0.1)
    finally:
        watchdog.stop()


def test_a_fed_watchdog_sleeps_and_ends_without_acting(acted) -> None:
    watchdog = watched(LONG_S, acted)
    watchdog.start()
    watchdog.feed()
    watchdog.stop()
    watchdog.stop()
    assert acted.empty()


def test_a_watchdog_tries_again(acted) -> None:
    def act() -> None:
        acted.put("stop")
        if acted.qsize() == 1:
            raise OSError("no route")

    watchdog = Watchdog(0.01, act, name="arm")
    watchdog.start()
    try:
        watchdog.feed()
        until = time.monotonic() + LONG_S
        while acted.qsize() < 2 and time.monotonic() < until:
            time.sleep(0.01)
        assert acted.qsize() == 2
    finally:
        watchdog.stop()

"""The connect/close state machine."""

import logging

import pytest

from lerobot.core.device import DeviceBase
from lerobot.core.errors import AlreadyConnectedError, DeviceConnectionError, NotConnectedError


class Bench(DeviceBase):
    name = "bench"

    def __init__(self, failure: BaseException | None = None, close_failure: Exception | None = None) -> None:
        super().__init__("one")
        self.failure = failure
        self.close_failure = close_failure
        self.closed = 0

    def connect(self) -> None:
        with self._connecting():
            if self.failure:
                raise self.failure

    def _close(self) -> None:
        self.closed += 1
        if self.close_failure:
            raise self.close_failure


def test_the_name_in_messages_carries_the_id() -> None:
    assert str(Bench()) == "bench(one)"


def test_use_before_connect_names_the_device() -> None:
    with pytest.raises(NotConnectedError, match=r"bench\(one\) is not connected"):
        Bench().require_connected()


def test_connecting_twice_is_an_error_and_keeps_the_connection() -> None:
    bench = Bench()
    bench.connect()
    with pytest.raises(AlreadyConnectedError):
        bench.connect()
    assert bench.is_connected
    assert bench.closed == 0


def test_disconnecting_twice_is_fine() -> None:
    bench = Bench()
    bench.connect()
    bench.disconnect()
    bench.disconnect()
    assert not bench.is_connected


@pytest.mark.parametrize("failure", [DeviceConnectionError("no answer"), KeyboardInterrupt()])
def test_a_failed_connect_releases_what_it_opened(failure: BaseException) -> None:
    bench = Bench(failure)
    with pytest.raises(type(failure)):
        bench.connect()
    assert bench.closed == 1
    assert not bench.is_connected


def test_the_first_failure_is_the_one_reported(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(DeviceConnectionError("no answer"), RuntimeError("close failed too"))
    with caplog.at_level(logging.ERROR), pytest.raises(DeviceConnectionError, match="no answer"):
        bench.connect()
    assert "close failed too" in caplog.text


def test_with_disconnects_after_an_exception() -> None:
    bench = Bench()

    def use() -> None:
        with bench:
            assert bench.is_connected
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()
    assert not bench.is_connected
    assert bench.closed == 1

"""Keeping the newest of what a Reachy 2 measures."""

import logging
import time
from typing import TYPE_CHECKING

from lerobot.core.errors import DeviceConnectionError, DeviceError, NotConnectedError
from lerobot.reachy2.config import ReachyFields
from lerobot.remote.newest import Timed
from lerobot.remote.receiver import Receiver
from lerobot.remote.wire.errors import WireError

if TYPE_CHECKING:  # gRPC is loaded by connecting
    from lerobot.reachy2.body import Body, Reading

log = logging.getLogger(__name__)

PERIOD_S = 0.01
"""The rate of the vendor's SDK."""


class Watch:
    """Asks a robot what it measures, again and again, in a thread of its own.

    Every measurement is asked for and has a deadline, so that nothing waits in a queue and the robot's clock does not
    matter: what came was measured after it was asked for. An answer that is missing or nonsense is told once and left
    out; what was measured then gets older, until it is too old to be given out. A server that comes back is asked anew.

    Args:
        device: name of the device, for messages.
        config: where the robot is, and which parts of it count.
        with_commanded_base: ask also what the base is told.
    """

    def __init__(self, device: str, config: ReachyFields, *, with_commanded_base: bool) -> None:
        self._device = device
        self._config = config
        self._with_commanded_base = with_commanded_base
        self._receiver: Receiver[Reading] = Receiver(device, self._receive, max_age_s=config.max_age_s)
        self._body: Body | None = None
        self._due_s = 0.0
        self._is_silent = False

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, be it a lost one."""
        return self._body is not None

    @property
    def body(self) -> "Body":
        """The robot's parts that count.

        Raises:
            NotConnectedError: not started.
        """
        if self._body is None:
            raise NotConnectedError(f"{self._device} is not connected.", device=self._device)
        return self._body

    def start(self) -> None:
        """Connect and measure once.

        Raises:
            DeviceConnectionError: the robot is not there, lacks a part, or what it says is of no use.
        """
        from lerobot.reachy2.body import Body

        config = self._config
        self._body = body = Body(
            self._device,
            f"{config.ip_address}:{config.sdk_port}",
            config.joints,
            with_base=config.with_mobile_base,
            answer_s=config.max_age_s,
        )
        body.open(config.connect_timeout_s)
        try:
            body.read(with_commanded_base=self._with_commanded_base)
        except WireError as error:
            raise DeviceConnectionError(
                f"what {self._device} measures is of no use: {error.what}.",
                device=self._device,
                expected=error.expected,
            ) from error
        self._is_silent = False
        self._receiver.start(first_within_s=config.connect_timeout_s)

    def latest(self) -> "Timed[Reading]":
        """What was measured last.

        Raises:
            DeviceTimeoutError: it is too old.
        """
        return self._receiver.newest.latest()

    def measured_from_now(self) -> "Reading":
        """What is measured next, all of it after this call.

        Raises:
            DeviceTimeoutError: nothing came in time.
        """
        asked_s, seen = time.monotonic(), -1
        while True:
            newest = self._receiver.newest.wait(after=seen, timeout_s=self._config.max_age_s)
            if newest.time_s >= asked_s:
                return newest.value
            seen = newest.sequence

    def stop(self) -> None:
        """Let go of the robot; may be called in any state."""
        self._receiver.stop()
        if self._body is not None:
            self._body.close()
            self._body = None

    def _receive(self, timeout_s: float) -> "Timed[Reading] | None":
        time.sleep(max(0.0, self._due_s - time.monotonic()))
        asked_s = time.monotonic()
        self._due_s = asked_s + PERIOD_S
        try:
            reading = self.body.read(with_commanded_base=self._with_commanded_base)
        except (DeviceError, WireError) as error:
            if not self._is_silent:
                log.warning("%s: %s More of this kind is not told.", self._device, error.what.rstrip(".") + ".")
            self._is_silent = True
            self._due_s = asked_s + timeout_s
            return None
        if self._is_silent:
            log.info("%s answers again", self._device)
        self._is_silent = False
        return Timed(reading, asked_s, 0)

"""Exchanges that survive a noisy line: retries, statistics and alerts around a `Wire`, one exchange at a time."""

import copy
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import cycle
from typing import TypeVar

from lerobot.core.errors import DeviceConnectionError
from lerobot.motors.errors import MotorError
from lerobot.motors.serial.statistics import BusStatistics
from lerobot.motors.serial.wire import DAMAGED, LOST, Outcome, Reply, Wire

log = logging.getLogger(__name__)

T = TypeVar("T")

MARK_LENGTHS = range(5, 41)
"""Bytes of the reads that tell an answer's age: more than any register has, and so many that the answer to one must be
36 reads late, more than a second, to pass for that to another."""


class Link:
    """A wire whose calls either succeed or say which motors failed and how.

    An answer says whose it is, but not to which packet. After a miss, an answer may therefore come, however late, when
    the motor was asked something else. A motor answers in the order it was asked: before it is believed again, it has
    to answer a read of a length that nothing else asks for, and what came before that answer is forgotten.

    Args:
        wire: protocol and port.
        names: motor names by id, for messages.
        retries: how often a packet is sent again at least.
    """

    def __init__(self, wire: Wire, names: Mapping[int, str], retries: int) -> None:
        self.wire = wire
        self.retries = retries
        self._names = names
        self._lock = threading.RLock()
        self._statistics = BusStatistics()
        self._alerted: set[tuple[int, str]] = set()
        self._behind: set[int] = set()
        """Ids of motors that missed a packet, whose answer may come when they are asked something else."""
        self._mark_lengths = cycle(MARK_LENGTHS)
        self._unsettled = False
        """Whether answers to an exchange that was broken off or given up may still be on their way."""

    def open(self) -> None:
        """Open the port and begin to count anew."""
        self._statistics = BusStatistics()
        self._alerted.clear()
        self._behind.clear()
        self.wire.port.open()

    @property
    def statistics(self) -> BusStatistics:
        """What went over the line since it was opened, as of now."""
        with self._lock:
            return copy.deepcopy(self._statistics)

    def name_of(self, motor_id: int) -> str:
        """Name of a motor as messages show it."""
        return f"'{self._names[motor_id]}'" if motor_id in self._names else f"motor {motor_id}"

    def exchange(self, call: Callable[[], T]) -> T:
        """Have the line for one call on the wire.

        Raises:
            NotConnectedError: the port is not open.
            DeviceConnectionError: the port was lost.
        """
        with self._lock:
            port = self.wire.port
            if not port.is_open:
                raise port.not_open(f"The bus on port '{port.path}'")
            if self._unsettled:
                port.settle()
            port.is_using = False  # an interrupt may have left the SDK in the middle of a packet
            self._statistics.packets += 1
            self._unsettled = True
            result = call()
            self._unsettled = False
            return result

    def repeat(self, motor_id: int, call: Callable[[], Reply], num_retry: int) -> Reply:
        """Exchange until the motor answers, at most `1 + num_retry` times; returns the last reply."""
        reply = LOST
        for attempt in range(1 + num_retry):
            with self._lock:
                reply = self._catch_up([motor_id]).get(motor_id) or self.exchange(call)
                self._count({motor_id: reply}, again=attempt > 0)
            if reply.outcome is Outcome.OK:
                break
            self._unsettled = True
        return reply

    def ask(self, motor_id: int, call: Callable[[], Reply], what: str, num_retry: int = 0) -> Reply:
        """Exchange with one motor until it answers.

        Args:
            motor_id: id of the motor.
            call: one exchange on the wire.
            what: how an error text begins.
            num_retry: how often to try again, if more than `retries`.

        Raises:
            DeviceConnectionError: the motor did not answer, or the port was lost.
            MotorError: the motor refused.
        """
        reply = self.repeat(motor_id, call, max(num_retry, self.retries))
        if reply.outcome is not Outcome.OK:
            raise self.failure(what, {motor_id: reply}, 1 + max(num_retry, self.retries))
        if reply.refusal:
            raise MotorError(f"{what}: {self.name_of(motor_id)} refused, {reply.refusal}.", device=self.wire.port.path)
        return reply

    def ask_group(
        self, motor_ids: Sequence[int], address: int, length: int, what: str, num_retry: int = 0
    ) -> dict[int, bytes]:
        """Read the same bytes of several motors, asking again only those that did not answer.

        Args:
            motor_ids: ids of the motors.
            address: address of the register.
            length: its bytes.
            what: how an error text begins.
            num_retry: how often to try again, if more than `retries`.

        Returns:
            Bytes by motor id.

        Raises:
            DeviceConnectionError: motors did not answer, which are named, or the port was lost.
            MotorError: a motor refused.
        """
        if not self.wire.groups_reads:
            data = {}
            for motor_id in motor_ids:
                call = partial(self.wire.read, motor_id, address, length)
                data[motor_id] = self.ask(motor_id, call, what, num_retry).data
            return data
        replies: dict[int, Reply] = {}
        missing = list(motor_ids)
        tries = 1 + max(num_retry, self.retries)
        for attempt in range(tries):
            with self._lock:
                answers = self._catch_up(missing)
                asked = [motor_id for motor_id in missing if motor_id not in answers]
                if asked:
                    answers |= self.exchange(partial(self.wire.sync_read, asked, address, length))
                self._count(answers, again=attempt > 0)
            replies |= answers
            missing = [motor_id for motor_id in missing if replies[motor_id].outcome is not Outcome.OK]
            # A damaged answer has come; one that has not may come yet, and be taken for the answer to the next packet.
            self._unsettled = any(replies[motor_id].outcome is Outcome.TIMEOUT for motor_id in missing)
            if not missing:
                break
        # A motor may keep quiet because one before it in the chain of answers does: only the truly silent are blamed.
        for motor_id in missing:
            replies[motor_id] = self.repeat(motor_id, lambda i=motor_id: self.wire.read(i, address, length), 0)  # type: ignore[misc]
        silent = {motor_id: reply for motor_id, reply in replies.items() if reply.outcome is not Outcome.OK}
        if silent:
            raise self.failure(what, silent, tries)
        for motor_id, reply in replies.items():
            if reply.refusal:
                raise MotorError(
                    f"{what}: {self.name_of(motor_id)} refused, {reply.refusal}.", device=self.wire.port.path
                )
        return {motor_id: reply.data for motor_id, reply in replies.items()}

    def failure(self, what: str, replies: Mapping[int, Reply], tries: int) -> DeviceConnectionError:
        """Count a call that is given up, and describe it."""
        with self._lock:
            self._statistics.failures += 1
            self._unsettled = True
        told = "; ".join(f"{self.name_of(motor_id)} {reply.outcome.value}" for motor_id, reply in replies.items())
        return DeviceConnectionError(
            f"{what} after {tries} tries. On port '{self.wire.port.path}' {told}.",
            device=self.wire.port.path,
            hint="Check the power supply of the motors and the cable of the first motor named.",
        )

    def _catch_up(self, motor_ids: Sequence[int]) -> dict[int, Reply]:
        """Bring those of the motors that are behind to where only their next answer comes; see `Link`.

        Returns:
            Replies of the motors that are still behind, by id; nothing they send can be believed.
        """
        still: dict[int, Reply] = dict.fromkeys((i for i in motor_ids if i in self._behind), DAMAGED)
        for _ in range(1 + self.retries):
            # A silent motor is not asked again here: every silence costs a wait, and the caller tries again anyway.
            asked = [motor_id for motor_id, reply in still.items() if reply.outcome is Outcome.CORRUPT]
            if not asked:
                break
            length = next(self._mark_lengths)
            if self.wire.groups_reads:
                replies = self.exchange(partial(self.wire.sync_read, asked, 0, length))
            else:
                replies = {i: self.exchange(partial(self.wire.read, i, 0, length)) for i in asked}
            for motor_id, reply in replies.items():
                if reply.outcome is Outcome.OK and len(reply.data) == length:
                    self._behind.remove(motor_id)
                    del still[motor_id]
                else:
                    still[motor_id] = LOST if reply.outcome is Outcome.TIMEOUT else DAMAGED
        return still

    def _count(self, replies: Mapping[int, Reply], *, again: bool) -> None:
        with self._lock:
            statistics = self._statistics
            statistics.retries += again
            # A damaged answer counts too: it may have been noise, or in a group another motor's.
            self._behind |= {motor_id for motor_id, reply in replies.items() if reply.outcome is not Outcome.OK}
            for motor_id, reply in replies.items():
                if reply.outcome is Outcome.TIMEOUT:
                    statistics.timeouts[motor_id] += 1
                elif reply.outcome is Outcome.CORRUPT:
                    statistics.corrupt[motor_id] += 1
                else:
                    statistics.replies += 1
                    self._notice_alerts(motor_id, reply.alerts)

    def _notice_alerts(self, motor_id: int, alerts: tuple[str, ...]) -> None:
        """Count alerts; log one when it appears, not with every reply that repeats it."""
        now = {(motor_id, alert) for alert in alerts}
        self._statistics.alerts.update(now)
        for _, alert in sorted(now - self._alerted):
            log.warning("%s on port '%s' reports %s", self.name_of(motor_id), self.wire.port.path, alert)
        self._alerted = {known for known in self._alerted if known[0] != motor_id} | now

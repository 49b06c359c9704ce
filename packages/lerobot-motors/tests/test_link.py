"""Whose question an answer belongs to, when answers come late; time is a number, so that no machine is too slow."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from lerobot.core.errors import DeviceConnectionError
from lerobot.motors.serial.link import Link
from lerobot.motors.serial.wire import DAMAGED, LOST, Outcome, Reply, Wire, collect

WAIT_MS, QUIET_MS = 50, 20
MOTOR = 1


class SlowLine(Wire):
    """A motor that answers in order, `late_ms` after it was asked; the byte at every address is the address.

    It stands for the port too.
    """

    byte_order = "little"
    path, is_open, is_using = "/dev/slow", True, False

    def __init__(self, *, groups_reads: bool) -> None:
        super().__init__(self)  # type: ignore[arg-type]
        self.groups_reads = groups_reads
        self.now = self.late_ms = 0
        self.answers: list[tuple[int, bytes]] = []

    def settle(self) -> None:
        quiet_until = self.now + QUIET_MS
        while self.answers and self.answers[0][0] < quiet_until:
            self.now = max(self.now, self.answers.pop(0)[0])
            quiet_until = self.now + QUIET_MS
        self.now = quiet_until

    def read(self, motor_id: int, address: int, length: int) -> Reply:
        self._ask(address, length)
        _, reply = self._receive(self.now + WAIT_MS)
        return reply if reply.outcome is not Outcome.OK or len(reply.data) == length else DAMAGED

    def sync_read(self, motor_ids: Sequence[int], address: int, length: int) -> dict[int, Reply]:
        self._ask(address, length)
        end = self.now + WAIT_MS
        return collect(motor_ids, length, lambda: self._receive(end), lambda: self.now >= end)

    def _ask(self, address: int, length: int) -> None:
        while self.answers and self.answers[0][0] <= self.now:  # as `SerialPort.clearPort` does
            self.answers.pop(0)
        due = max([self.now + self.late_ms, *(due for due, _ in self.answers)])
        self.answers.append((due, bytes(range(address, address + length))))

    def _receive(self, end: int) -> tuple[int | None, Reply]:
        if self.answers and self.answers[0][0] <= end:
            due, data = self.answers.pop(0)
            self.now = max(self.now, due)
            return MOTOR, Reply(Outcome.OK, data)
        self.now = end
        return None, LOST

    def ping(self, motor_id: int) -> Reply:
        raise NotImplementedError

    def broadcast_ping(self) -> dict[int, list[Reply]]:
        raise NotImplementedError

    def write(self, motor_id: int, address: int, data: bytes) -> Reply:
        raise NotImplementedError

    def sync_write(self, address: int, data: Mapping[int, bytes]) -> None:
        raise NotImplementedError


@pytest.mark.parametrize("groups_reads", [True, False])
@pytest.mark.parametrize("group", [True, False])
def test_no_answer_is_believed_that_belongs_to_another_question(group: bool, groups_reads: bool) -> None:
    """At every third millisecond of lateness up to a second, with two registers of one length asked in turn."""

    def ask(link: Link, address: int) -> Any:
        if group:
            return link.ask_group([MOTOR], address, 1, "Asking failed")[MOTOR]
        return link.ask(MOTOR, lambda: link.wire.read(MOTOR, address, 1), "Asking failed").data

    for late_ms in range(0, 1000, 3):
        line = SlowLine(groups_reads=groups_reads)
        link = Link(line, {}, retries=2)
        line.late_ms = late_ms
        answered = 0
        for turn in range(24):
            address = 60 + turn % 2
            if turn == 4:
                line.late_ms = 1
            try:
                value = ask(link, address)
            except DeviceConnectionError:
                continue
            assert value == bytes([address]), f"{late_ms} ms late, turn {turn}"
            answered += 1
        assert answered >= 10, f"{late_ms} ms late"
        if late_ms < WAIT_MS:
            assert answered == link.statistics.packets == 24, "a line without misses carries nothing more"

"""Questions to several motors at once, and their answers: retries, late answers, and readings that cannot be."""

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from lerobot.can.channel import Channel
from lerobot.can.frame import Frame, MotorState
from lerobot.can.link import CanLink
from lerobot.can.motor import CanMotor
from lerobot.can.protocol import Protocol
from lerobot.can.statistics import CanStatistics
from lerobot.core.errors import DeviceConnectionError
from lerobot.motors.bus import Motors
from lerobot.motors.errors import MotorValueError

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

REPLY_WAIT_S = 0.05
"""How long answers are waited for before those that are missing are asked for again: a motor needs less than one
millisecond, a USB adapter up to 16, a busy computer more."""

LONGEST_WAIT = 4
"""How often that long is waited at most: each further try has more patience, so that one loss costs little and a busy
computer is no silent motor."""

RETRIES = 7
MARGIN_RAD = 0.1
"""How much farther than its fastest speed a reading may lie from the one before; noise of a hand's jolt."""


@dataclass(frozen=True, slots=True)
class _Reading:
    position: float
    at: float


class Exchange(ABC):
    """The motors of one bus, and what is known of each.

    Args:
        port: what leads to the motors.
        motors: the motors by name, in the order of the chain.
        protocol: their frames.
        channel: how the bus is opened.

    Attributes:
        faults: why motors have switched themselves off, by name; kept until `clear_faults`.
        reply_wait_s: how long answers are waited for before they are asked for again, the first time.
    """

    def __init__(self, port: str, motors: Mapping[str, CanMotor], protocol: Protocol, channel: Channel) -> None:
        self.port = port
        self._motors = dict(motors)
        self._protocol = protocol
        for motor in self._motors.values():
            protocol.model(motor)
        self._link = CanLink(port, channel)
        self._lock = threading.RLock()
        self.faults: dict[str, str] = {}
        self.reply_wait_s = self._patience_s = REPLY_WAIT_S
        self._accepted: dict[str, _Reading] = {}
        self._suspect: dict[str, _Reading] = {}
        self._unsettled: set[str] = set()
        """Motors that missed an answer, which may come yet and be taken for the answer to the next question."""

    @property
    def motors(self) -> Mapping[str, CanMotor]:
        """The motors by name, in the order of the chain."""
        return self._motors

    @property
    def statistics(self) -> CanStatistics:
        """Counts since the bus was connected: lost and damaged frames, load."""
        return self._link.statistics

    @property
    def is_connected(self) -> bool:
        """Whether the bus is open; False too after it was lost."""
        return self._link.is_open

    # --- asking ------------------------------------------------------------------------------------------------------

    def _ask(
        self,
        questions: Mapping[str, Frame],
        accept: Callable[[str, Frame], Answer | None],
        what: str,
        num_retry: int = 0,
    ) -> dict[str, Answer]:
        """Send a frame to each of several motors, again to those that do not answer, and return all answers.

        Raises:
            DeviceConnectionError: motors did not answer, which are named, or the bus is gone.
        """
        tries = 1 + max(RETRIES, num_retry)
        answers: dict[str, Answer] = {}
        with self._lock:
            for attempt in range(tries):
                missing = {name: frame for name, frame in questions.items() if name not in answers}
                self._try(missing, accept, answers, attempt)
                if len(answers) == len(questions):
                    return {name: answers[name] for name in questions}
            self.statistics.failures += 1
            silent = ", ".join(name for name in questions if name not in answers)
            raise DeviceConnectionError(
                f"{what} after {tries} tries. On port '{self.port}' {silent} did not answer.",
                device=self.port,
                hint="Check the supply of the motors and the cable of the first motor named.",
            )

    def _try(
        self,
        missing: Mapping[str, Frame],
        accept: Callable[[str, Frame], Answer | None],
        answers: dict[str, Answer],
        attempt: int = 0,
    ) -> None:
        """Ask once, and add the answers that come."""
        self._patience_s = self.reply_wait_s * min(1 + attempt, LONGEST_WAIT)
        self._catch_up(missing)
        asked = [name for name in missing if name not in self._unsettled]
        for name in asked:
            self._link.send(missing[name])
        self.statistics.retries += len(asked) if attempt else 0

        def take(name: str, frame: Frame) -> None:
            answer = accept(name, frame)
            if answer is not None and name in asked:
                answers.setdefault(name, answer)

        self._hear(take, lambda: all(name in answers for name in asked))
        for name in asked:
            if name not in answers:
                self.statistics.timeouts[self._motors[name].id] += 1
                self._unsettled.add(name)
        if self._unsettled:
            self._link.forget()

    def _hear(self, take: Callable[[str, Frame], object], is_done: Callable[[], bool]) -> None:
        """Hand on the motors' frames until that is enough, or nothing came for too long."""
        deadline = time.monotonic() + self._patience_s
        while not is_done() and (left := deadline - time.monotonic()) > 0:
            self._take_one(left, take)

    def _take_one(self, timeout_s: float, take: Callable[[str, Frame], object]) -> bool:
        """Hand on the next frame; False if there is none."""
        frame = self._link.receive(timeout_s)
        if frame is None:
            return False
        name = next((name for name, motor in self._motors.items() if self._protocol.is_from(motor, frame)), None)
        if name is None:
            self.statistics.strangers += 1
        else:
            self.statistics.replies += 1
            take(name, frame)
        return True

    def _catch_up(self, names: Mapping[str, Frame]) -> None:
        """Read away what came too late, and find out whether more is on its way from motors that missed an answer."""
        while self._take_one(0, self._note):
            pass
        if doubtful := [name for name in names if name in self._unsettled]:
            self._settle(doubtful)

    def _note(self, name: str, frame: Frame) -> None:
        """Take notice of an answer that nobody waits for: it may tell of a fault."""
        self._state(name, frame)

    @abstractmethod
    def _settle(self, names: list[str]) -> None:
        """Take those motors out of `_unsettled` from which no earlier answer can come any more."""

    # --- what an answer says -----------------------------------------------------------------------------------------

    def _state(self, name: str, frame: Frame) -> MotorState | None:
        """The state in an answer; None, and counted, if it is damaged or cannot be true."""
        motor = self._motors[name]
        state = self._protocol.state(motor, frame)
        if state is None or not self._is_possible(name, state):
            self.statistics.corrupt[motor.id] += 1
            return None
        if state.fault and self.faults.get(name) != state.fault:
            self.faults[name] = state.fault
            self.statistics.alerts[motor.id, state.fault] += 1
            log.error("%s: '%s' has switched itself off: %s", self.port, name, state.fault)
        return state

    def _is_possible(self, name: str, state: MotorState) -> bool:
        """Whether the joint can have come here since its last reading; serial adapters have no checksum.

        A reading that cannot be is believed once the next one agrees with it.
        """
        reading = _Reading(state.position, time.monotonic())
        known = [each for each in (self._accepted.get(name), self._suspect.get(name)) if each is not None]
        speed = self._protocol.model(self._motors[name]).velocity
        if not known or any(
            abs(reading.position - each.position) <= speed * (reading.at - each.at) + MARGIN_RAD for each in known
        ):
            self._accepted[name] = reading
            self._suspect.pop(name, None)
            return True
        self._suspect[name] = reading
        return False

    def _forget_positions(self, names: Iterable[str]) -> None:
        """Take the next reading of motors as it is."""
        for name in names:
            self._accepted.pop(name, None)
            self._suspect.pop(name, None)

    def _names(self, motors: Motors) -> list[str]:
        """Names of motors that are given by name or id; all for None.

        Raises:
            MotorValueError: one is not on this bus.
        """
        given = list(self._motors) if motors is None else [motors] if isinstance(motors, str | int) else list(motors)
        ids = {motor.id: name for name, motor in self._motors.items()}
        names = []
        for each in given:
            name = ids.get(each) if isinstance(each, int) else each
            if name is None or name not in self._motors:
                raise MotorValueError(f"There is no motor {each!r} on this bus.", expected=", ".join(self._motors))
            names.append(name)
        return names

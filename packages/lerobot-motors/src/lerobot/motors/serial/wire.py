"""What a bus needs from a protocol: packets out, replies in, nothing about names or units."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from lerobot.motors.serial.port import SerialPort


class Outcome(Enum):
    """How the answer to a packet came back."""

    OK = "answered"
    TIMEOUT = "did not answer"
    CORRUPT = "answered with a damaged packet"


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of one motor.

    Attributes:
        outcome: whether and how it came back.
        data: bytes read; empty for anything but a read.
        alerts: conditions the motor reports besides its answer, such as `"overload"`.
        refusal: why the motor did not carry out the instruction; empty if it did.
    """

    outcome: Outcome
    data: bytes = b""
    alerts: tuple[str, ...] = ()
    refusal: str = ""


LOST = Reply(Outcome.TIMEOUT)
DAMAGED = Reply(Outcome.CORRUPT)


class Wire(ABC):
    """One protocol on one serial port; every method is a single exchange, without retries.

    Methods raise `DeviceConnectionError` if the port itself is lost.

    Args:
        port: serial port, closed.
    """

    byte_order: Literal["little", "big"]
    """Order of the bytes of a register."""

    broadcasts_ping: bool = True
    """Whether all motors can be found with one packet."""

    groups_reads: bool = True
    """Whether several motors can be read with one packet."""

    packet_handler: Any
    """The SDK's packet handler."""

    def __init__(self, port: SerialPort) -> None:
        self.port = port

    @abstractmethod
    def ping(self, motor_id: int) -> Reply:
        """Ask one motor whether it is there; `data` of the reply is its model number, two bytes."""

    @abstractmethod
    def broadcast_ping(self) -> dict[int, list[Reply]]:
        """Ask all motors; a motor id with several replies is held by several motors. `data` may be empty."""

    @abstractmethod
    def read(self, motor_id: int, address: int, length: int) -> Reply:
        """Read `length` bytes of one motor."""

    @abstractmethod
    def write(self, motor_id: int, address: int, data: bytes) -> Reply:
        """Write bytes of one motor and await its acknowledgement."""

    @abstractmethod
    def sync_read(self, motor_ids: Sequence[int], address: int, length: int) -> dict[int, Reply]:
        """Read the same bytes of several motors with one packet."""

    @abstractmethod
    def sync_write(self, address: int, data: Mapping[int, bytes]) -> None:
        """Write the same bytes of several motors with one packet, which nobody acknowledges."""


def collect(
    expected: Sequence[int],
    length: int,
    receive: Callable[[], tuple[int | None, Reply]],
    timed_out: Callable[[], bool],
) -> dict[int, Reply]:
    """Gather the replies to one group read, keeping every whole one whatever happens to its neighbours.

    Motors answer in the order they were asked. Reading stops after the last one's reply, after as many packets as
    motors were asked, or when the time is over.

    Args:
        expected: motor ids in the order asked.
        length: bytes each motor was asked for.
        receive: receives the next packet; returns the sender (None if damaged or none came) and its reply.
        timed_out: whether the waiting time is over.

    Returns:
        A reply for each expected id. Of the ids without a whole reply, as many as there were damaged packets are
        marked corrupt, in the order asked, because nothing else tells whose they were.
    """
    replies: dict[int, Reply] = {}
    damaged = 0
    while len(replies) + damaged < len(expected) and expected[-1] not in replies:
        sender, reply = receive()
        if (
            sender is not None
            and sender in expected
            and reply.outcome is Outcome.OK
            and (len(reply.data) == length or reply.refusal)
        ):
            replies[sender] = reply
        elif reply.outcome is Outcome.CORRUPT:
            damaged += 1
        if timed_out():
            break
    for motor_id in expected:
        if motor_id not in replies:
            replies[motor_id] = DAMAGED if damaged else LOST
            damaged = max(0, damaged - 1)
    return replies

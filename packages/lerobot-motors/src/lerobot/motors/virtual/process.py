"""A virtual line in a process of its own, because a servo shares no interpreter with the program that drives it."""

import multiprocessing
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection, wait
from typing import Any, Self

from lerobot.core.errors import DeviceConnectionError
from lerobot.motors.virtual.arm_spec import ArmSpec
from lerobot.motors.virtual.pty_line import PtyLine
from lerobot.motors.virtual.spec import Fault

IDLE_S = 0.2
START_TIMEOUT_S = 60.0


def serve(
    line: PtyLine, *, control: Connection | None = None, each_turn: Callable[[float], None] | None = None
) -> None:
    """Answer packets until the line is unplugged, or the other end of `control` closes.

    Args:
        line: the line.
        control: requests of a `VirtualBus`.
        each_turn: called with the time, at least every `IDLE_S` seconds.
    """
    while line.master >= 0 or control is not None:
        now = time.monotonic()
        if line.master >= 0:
            line.send_due(now)
        if each_turn is not None:
            each_turn(now)
        due = line.next_due
        timeout = IDLE_S if due is None else max(0.0, min(IDLE_S, due - now))
        sources: list[Any] = [line.master] if line.master >= 0 else []
        for source in wait([*sources, *([control] if control is not None else [])], timeout):
            if source is control:
                if not _obey(line, control):
                    return
            elif line.master >= 0:
                line.receive(time.monotonic())


def _obey(line: PtyLine, control: Connection) -> bool:
    """Carry out one request; False when nobody asks any more."""
    try:
        name, arguments = control.recv()
    except EOFError:
        return False
    control.send(_REQUESTS[name](line, *arguments))
    return True


def _state(line: PtyLine, motor_id: int) -> dict[str, float]:
    return line.motor(motor_id).state(time.monotonic())


def _fault(line: PtyLine, motor_id: int, fault: Fault, value: float | None) -> None:
    line.set_fault(motor_id, fault, value, time.monotonic())


def _packets(line: PtyLine) -> list[bytes]:
    packets = list(line.packets)
    line.packets.clear()
    return packets


_REQUESTS: dict[str, Callable[..., Any]] = {
    "state": _state,
    "move": PtyLine.move,
    "fault": _fault,
    "mend": lambda line, motor_id: line.mend(motor_id),
    "power": PtyLine.switch,
    "packets": _packets,
    "babble": PtyLine.babble,
    "unplug": PtyLine.close,
}


def _run(spec: ArmSpec, control: Connection) -> None:
    line = spec.open(time.monotonic())
    control.send(line.port)
    serve(line, control=control)


class VirtualBus:
    """Handle to a virtual line in another process; a context manager.

    Args:
        spec: the motors, for example `ARMS["so101"]`.
    """

    def __init__(self, spec: ArmSpec) -> None:
        # A server forks the processes, so that none of them starts an interpreter of its own.
        context = multiprocessing.get_context("forkserver")
        self.spec = spec
        self._control, other_end = context.Pipe()
        self._process = context.Process(target=_run, args=(spec, other_end), daemon=True)
        self._process.start()
        other_end.close()
        self._lock = threading.Lock()
        if not self._control.poll(START_TIMEOUT_S):
            self.close()
            raise DeviceConnectionError("The process of the virtual motors did not start.")
        self.port: str = self._control.recv()
        """Path to open instead of a serial port."""

    def close(self) -> None:
        """End the process; calling it again does nothing."""
        if self._control.closed:
            return
        self._control.close()
        self._process.join(2)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        # Gives the pipes to the fork server back, however long this handle is kept.
        self._process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def state(self, servo_id: int) -> dict[str, float]:
        """Raw register contents by name, and `position` (encoder steps without homing) and `temperature` (Celsius)."""
        result: dict[str, float] = self._request("state", servo_id)
        return result

    def move(self, positions: Mapping[int, float]) -> None:
        """Move joints by hand: encoder steps without homing, by the id the servo was built in with."""
        self._request("move", dict(positions))

    def fault(self, servo_id: int, fault: Fault, value: float | None = None) -> None:
        """Break something on a servo; see `Fault` for what `value` means."""
        self._request("fault", servo_id, fault, value)

    def mend(self, servo_id: int) -> None:
        """Repair everything on a servo."""
        self._request("mend", servo_id)

    def power(self, on: bool) -> None:
        """Switch the supply of the whole line."""
        self._request("power", on)

    def babble(self, noise: bytes) -> None:
        """Put bytes on the line that no motor sent."""
        self._request("babble", noise)

    def unplug(self) -> None:
        """Pull the USB plug: the port is gone for good."""
        self._request("unplug")

    def packets(self) -> list[bytes]:
        """Packets received since the last call, oldest first."""
        result: list[bytes] = self._request("packets")
        return result

    def _request(self, name: str, *arguments: Any) -> Any:
        with self._lock:
            self._control.send((name, arguments))
            return self._control.recv()

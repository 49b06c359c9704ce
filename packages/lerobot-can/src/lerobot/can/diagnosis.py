"""What is wrong with the motors of a CAN bus, and what to do about it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Protocol

from lerobot.core.errors import DeviceConnectionError
from lerobot.motors.errors import MotorError
from lerobot.motors.finding import Finding, whole_line

PINGS = 3
SAMPLES = 40
SAMPLE_WAIT_S = 0.2
"""How long an answer is waited for while misses are counted: a busy computer is not the motor's fault."""

ADVICE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "volt": ("low_voltage", "Check the power supply, its plug and its rating."),
        "hot": ("overheating", "Let it cool down, and hold the arm in lighter poses."),
        "heard nothing": ("cable", "Another program stopped commanding it; clear it and connect again."),
        "encoder": ("dead", "Calibrate its encoder with the maker's software, or replace the motor."),
        "driver": ("dead", "Replace the motor."),
    }
)
"""Cause of a finding and what to do, by a word of the fault; all others are an overload."""

OVERLOAD = ("overload", "Free the joint and look for a jam; `lerobot setup-can --mode=clear` clears the fault.")


class Examined(Protocol):
    """What an examination needs of a bus."""

    port: str
    faults: dict[str, str]
    reply_wait_s: float

    @property
    def motors(self) -> Mapping[str, object]:
        """See `MotorsBus.motors`."""
        ...

    def connect(self, handshake: bool = True) -> None:
        """See `MotorsBus.connect`."""
        ...

    def disconnect(self, disable_torque: bool = True) -> None:
        """See `MotorsBus.disconnect`."""
        ...

    def ping(self, motor: str | int) -> bool:
        """Whether a motor answers once."""
        ...


def diagnose(bus: Examined) -> list[Finding]:
    """Examine a bus that is not connected; nothing moves and nothing is written.

    Returns:
        What is wrong, in the order of the chain; empty if nothing is.
    """
    try:
        bus.connect(handshake=False)
    except DeviceConnectionError as error:
        return [Finding("port", "", 0, error.what, error.hint)]
    usual, bus.reply_wait_s = bus.reply_wait_s, SAMPLE_WAIT_S
    try:
        findings = [each for place, name in enumerate(bus.motors, 1) for each in _examine(bus, name, place)]
    except DeviceConnectionError as error:
        return [Finding("port", "", 0, error.what, error.hint)]
    else:
        bus.disconnect(disable_torque=False)
    finally:
        bus.reply_wait_s = usual
    return whole_line(list(bus.motors), findings) or list(_expected_models(bus))


def _examine(bus: Examined, name: str, place: int) -> Iterator[Finding]:
    if not any(bus.ping(name) for _ in range(PINGS)):
        hint = "Check its plugs and its ids; `lerobot setup-can --mode=test` lists who answers."
        yield Finding("missing", name, place, "it does not answer.", hint)
        return
    missed = sum(not bus.ping(name) for _ in range(SAMPLES))
    # A busy computer can be too late for one answer that came.
    if missed > 1:
        what = f"{missed / SAMPLES:.0%} of its answers were lost or damaged."
        yield Finding("corrupt", name, place, what, "Check the cable before this motor and the bus's termination.")
    if fault := bus.faults.get(name):
        cause, hint = next((advice for word, advice in ADVICE.items() if word in fault), OVERLOAD)
        yield Finding(cause, name, place, f"it has switched itself off: {fault}.", hint)


def _expected_models(bus: Examined) -> Iterator[Finding]:
    """What the handshake finds on a sound bus."""
    try:
        bus.connect()
    except MotorError as error:
        yield Finding("wrong_model", "", 0, f"{error.what} Expected: {error.expected}.", error.hint)
    else:
        bus.disconnect(disable_torque=False)

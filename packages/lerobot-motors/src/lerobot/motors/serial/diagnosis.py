"""What is wrong with the motors of a line, where in the chain, and what to do about it."""

import time
from collections import Counter
from collections.abc import Iterator

from lerobot.core.errors import DeviceConnectionError, DeviceError
from lerobot.motors.finding import Finding, whole_line
from lerobot.motors.serial.chain import ServoChain

PINGS = 4
SAMPLES = 60
"""Readings per motor: 5 % damage goes unnoticed in one of twenty examinations."""
SAMPLE_WAIT_S = 0.2
"""How long an answer is waited for while misses are counted: a busy computer is not the motor's fault."""
PATIENCE_S = 0.5
"""Waiting time after which a motor is not merely late."""


ADVICE = {
    "over-current": ("overload", "it draws too much current", "Free the joint and look for a jam or a short circuit."),
    "overload": ("overload", "it reports overload", "Free the joint, take the load off and switch torque off and on."),
    "overheating": ("overheating", "it is too hot", "Let it cool down, and hold the arm in lighter poses."),
    "voltage": ("low_voltage", "its supply is outside its limits", "Check the power supply, its plug and its rating."),
    "angle sensor": ("dead", "it reports a defective position sensor", "Replace the motor."),
    "electrical shock": ("dead", "it reports a defective circuit", "Replace the motor."),
}
"""What an alert means: cause, description, what to do."""


def diagnose(bus: ServoChain) -> list[Finding]:
    """Examine a line whose port is closed; nothing moves and no register is written.

    Args:
        bus: the motors as they should be.

    Returns:
        What is wrong, in the order of the chain; empty if nothing is.
    """
    try:
        bus.open()
    except DeviceConnectionError as error:
        return [Finding("port", "", 0, error.what, error.hint)]
    try:
        findings: list[Finding] = []
        firmware: dict[str, str] = {}
        for place, name in enumerate(bus.motors, start=1):
            findings += _examine(bus, name, place, firmware)
        findings += _other_firmware(bus, firmware)
    except DeviceConnectionError as error:
        if bus.is_connected:
            raise
        return [Finding("port", "", 0, error.what, error.hint)]
    finally:
        if bus.is_connected:
            bus.close()
    return whole_line(list(bus.motors), sorted(findings, key=lambda finding: finding.place))


def _examine(bus: ServoChain, name: str, place: int, firmware: dict[str, str]) -> Iterator[Finding]:
    """Examine one motor; notes its firmware version in `firmware`."""
    answers = [bus.ping(name) for _ in range(PINGS)]
    if None in answers and _is_late(bus, name):
        what = f"it takes longer than {1000 * bus.port_handler.reply_wait_s:.0f} ms to answer."
        yield Finding("late", name, place, what, "Check the USB adapter: connect it without a hub, or replace it.")
        return
    models = [answer for answer in answers if answer is not None]
    if not models:
        yield _why_silent(bus, name, place)
        return
    expected = bus.model_number_table[bus.motors[name].model]
    if models[0] != expected:
        what = f"its model number is {models[0]}, but {expected} ({bus.motors[name].model}) is configured."
        yield Finding("wrong_model", name, place, what, "Connect the motor that belongs here, or correct the model.")
    damaged = _damaged_share(bus, name)
    if damaged > 0.9:
        what = "it answers a ping, but its readings collide with those of another motor."
        yield Finding(
            "duplicate_id", name, place, what, f"Two motors have id {bus.motors[name].id}: run `lerobot setup-motors`."
        )
        return
    if damaged:
        what = f"{damaged:.0%} of its answers were lost or damaged."
        yield Finding("corrupt", name, place, what, "Check the plugs and the cable before this motor.")
    firmware[name] = bus.firmware_of(name)
    for alert in bus.alerts_of(name):
        cause, meaning, hint = ADVICE[alert]
        yield Finding(cause, name, place, f"{meaning} ({_state(bus, name)}).", hint)


def _damaged_share(bus: ServoChain, name: str) -> float:
    """Share of single readings of the position that did not come back whole.

    One that is missed alone counts as none: a busy computer can still be too late for an answer that came.
    """
    missed = _missed(bus, name, SAMPLES)
    if missed == 1:
        missed, asked = 1 + _missed(bus, name, 2 * SAMPLES), 3 * SAMPLES
        return 0.0 if missed == 1 else missed / asked
    return missed / SAMPLES


def _missed(bus: ServoChain, name: str, count: int) -> int:
    motor = bus.motors[name]
    address, length = bus.address("Present_Position", motor.model)
    before, wait = bus.statistics.misses, bus.port_handler.reply_wait_s
    bus.port_handler.reply_wait_s = SAMPLE_WAIT_S
    try:
        for _ in range(count):
            bus.link.repeat(motor.id, lambda: bus.link.wire.read(motor.id, address, length), 0)
    finally:
        bus.port_handler.reply_wait_s = wait
    return bus.statistics.misses - before


def _is_late(bus: ServoChain, name: str) -> bool:
    """Whether a motor answers, but later than the bus waits; leaves no late answer on the line."""
    wait = bus.port_handler.reply_wait_s
    bus.port_handler.settle(PATIENCE_S)
    bus.port_handler.reply_wait_s = PATIENCE_S
    try:
        begin = time.monotonic()
        return bus.ping(name) is not None and time.monotonic() - begin > wait
    finally:
        bus.port_handler.reply_wait_s = wait


def _why_silent(bus: ServoChain, name: str, place: int) -> Finding:
    """Search a silent motor at other speeds."""
    speed = bus.get_baudrate()
    try:
        for baudrate in bus.available_baudrates:
            if baudrate != speed:
                bus.set_baudrate(baudrate)
                if bus.ping(name) is not None:
                    what = f"it speaks at {baudrate} baud, the line runs at {speed}."
                    hint = "Run `lerobot setup-motors` with this motor connected alone."
                    return Finding("wrong_baud_rate", name, place, what, hint)
    finally:
        bus.set_baudrate(speed)
    what = f"no motor with id {bus.motors[name].id} answers at any speed."
    return Finding("missing", name, place, what, "Check its plugs; `lerobot setup-motors` gives a motor its id.")


def _other_firmware(bus: ServoChain, firmware: dict[str, str]) -> Iterator[Finding]:
    """Motors whose firmware is not that of most motors of their model."""
    for model in set(bus.models):
        versions = {name: version for name, version in firmware.items() if bus.motors[name].model == model}
        usual = Counter(versions.values()).most_common(1)
        for name, version in versions.items():
            if version != usual[0][0]:
                what = f"its firmware is {version}, that of the others {usual[0][0]}."
                hint = "Bring all motors to one version with the vendor's software."
                yield Finding("wrong_firmware", name, list(bus.motors).index(name) + 1, what, hint)


def _state(bus: ServoChain, name: str) -> str:
    """Supply and temperature, as far as the motor tells them."""
    try:
        return f"{bus.supply_of(name):.1f} V, {bus.read('Present_Temperature', name):.0f} °C"
    except DeviceError as error:
        return error.what

"""Finding motors on a line, checking that they are the expected ones, and giving a new motor its id."""

from collections.abc import Callable

from lerobot.core.errors import DeviceConnectionError
from lerobot.motors.errors import MotorError
from lerobot.motors.serial.chain import ServoChain

LARGEST_ID = 252
REPEATED_PINGS = 8
"""A silent arm of six motors is then given up after two rounds, well within a second."""
SCAN_WAIT_MS = 20.0
"""Waiting time per id where every id must be asked; an FTDI adapter holds an answer back for up to 16 ms."""


def check_motors(bus: ServoChain) -> None:
    """Check that every motor of a bus is there and of the expected model.

    Motors that do not answer are asked again, as often as `REPEATED_PINGS` allows for all of them together.

    Raises:
        MotorError: names missing and wrong motors and the likely cause.
    """
    expected = {motor.id: bus.model_number_table[motor.model] for motor in bus.motors.values()}
    found: dict[int, int] = {}
    missing = list(expected)
    pings = len(missing) + REPEATED_PINGS
    for _ in range(1 + bus.retries):
        if pings < len(missing):
            break
        pings -= len(missing)
        found |= {motor_id: model for motor_id in missing if (model := bus.ping(motor_id)) is not None}
        missing = [motor_id for motor_id in expected if motor_id not in found]
        if not missing:
            break
    wrong = {motor_id: number for motor_id, number in found.items() if expected[motor_id] != number}
    if not missing and not wrong:
        return
    problems = []
    if missing:
        problems.append("missing motor IDs: " + ", ".join(f"{i} ({bus.link.name_of(i)})" for i in missing))
    problems += [
        f"incorrect model number: {motor_id} ({bus.link.name_of(motor_id)}) is {number}, expected {expected[motor_id]}"
        for motor_id, number in wrong.items()
    ]
    raise MotorError(
        f"{type(bus).__name__} motor check failed on port '{bus.port}': {'; '.join(problems)}.",
        device=bus.port,
        expected=f"id: model number {expected}; found: {found}",
        hint=_likely_cause(bus, missing),
    )


def _likely_cause(bus: ServoChain, missing: list[int]) -> str:
    """What silence of these motors usually means, from their place in the chain."""
    chain = bus.ids
    if not missing:
        return "Connect the motors the configuration names, or configure the ones that are connected."
    if missing == chain:
        return (
            "No motor answers: check that their power supply is on and plugged in, and the cable from the board to "
            f"{bus.link.name_of(chain[0])}; new motors need `lerobot setup-motors` first."
        )
    if missing == chain[-len(missing) :] and len(missing) > 1:
        before, first = bus.link.name_of(chain[-len(missing) - 1]), bus.link.name_of(missing[0])
        return f"Every motor from {first} on is silent: check the cable between {before} and {first}."
    return "Check the plugs of these motors and their ids: `lerobot setup-motors` gives a motor its id."


def find_motors(bus: ServoChain) -> dict[int, list[int]]:
    """Find all motors at the port's baud rate, whatever the bus expects.

    Returns:
        Model numbers by id; an id with several entries is held by several motors.
    """
    wire = bus.link.wire
    if not wire.broadcasts_ping:
        before = bus.port_handler.reply_wait_s
        bus.set_timeout(SCAN_WAIT_MS)
        try:
            answers = {motor_id: bus.ping(motor_id) for motor_id in range(LARGEST_ID + 1)}
        finally:
            bus.port_handler.reply_wait_s = before
        return {motor_id: [number] for motor_id, number in answers.items() if number is not None}
    found = {}
    for motor_id, replies in bus.link.exchange(wire.broadcast_ping).items():
        if replies[0].data:
            found[motor_id] = [int.from_bytes(reply.data, wire.byte_order) for reply in replies]
        elif (number := bus.ping(motor_id, num_retry=bus.retries)) is not None:
            found[motor_id] = [number] * len(replies)
    return found


def scan_port(bus: ServoChain) -> dict[int, list[int]]:
    """Search an unopened bus at every baud rate; returns the ids that answered, by baud rate."""
    bus.open()
    try:
        found = {}
        for baudrate in bus.available_baudrates:
            bus.set_baudrate(baudrate)
            if motors := find_motors(bus):
                found[baudrate] = list(motors)
        return found
    finally:
        bus.close()


def setup_motor(bus: ServoChain, name: str, initial_baudrate: int | None = None, initial_id: int | None = None) -> None:
    """Give the only connected motor the id of `name` and the bus's baud rate.

    Args:
        bus: bus whose port is open.
        name: the motor it shall be.
        initial_baudrate: its present baud rate; searched if None.
        initial_id: its present id; searched if None.

    Raises:
        MotorError: no motor, several motors or a motor of another model was found.
    """
    motor = bus.motors[name]
    if initial_baudrate is None or initial_id is None:
        initial_baudrate, initial_id = _find_single_motor(bus, name, initial_baudrate)
    bus.set_baudrate(initial_baudrate)
    bus.disable_torque_of(initial_id, motor.model)
    _write_identity(
        bus, initial_id, motor.model, "ID", motor.id, lambda: bus.ping(motor.id, num_retry=bus.retries) is not None
    )

    def speaks_the_default() -> bool:
        bus.set_baudrate(bus.default_baudrate)
        return bus.ping(motor.id, num_retry=bus.retries) is not None

    code = bus.model_baudrate_table[bus.default_baudrate]
    _write_identity(bus, motor.id, motor.model, "Baud_Rate", code, speaks_the_default)
    bus.set_baudrate(bus.default_baudrate)


def _write_identity(
    bus: ServoChain, motor_id: int, model: str, register: str, content: int, took_it: Callable[[], bool]
) -> None:
    """Write an id or baud rate; if only the acknowledgement was lost, the motor answers under the new one."""
    address, _ = bus.address(register, model)
    try:
        bus.link.ask(
            motor_id,
            lambda: bus.link.wire.write(motor_id, address, bytes([content])),
            f"Failed to write '{register}' on id_={motor_id} with '{content}'",
        )
    except DeviceConnectionError:
        if not bus.is_connected or not took_it():
            raise


def _find_single_motor(bus: ServoChain, name: str, baudrate: int | None) -> tuple[int, int]:
    """Find the only motor on the line; returns its baud rate and id."""
    model = bus.motors[name].model
    expected = bus.model_number_table[model]
    for candidate in [baudrate] if baudrate else bus.model_baudrate_table:
        bus.set_baudrate(candidate)
        found = [(motor_id, number) for motor_id, numbers in find_motors(bus).items() for number in numbers]
        if not found:
            continue
        only = f"Make sure that only the '{name}' motor (model '{model}') is connected."
        if len(found) > 1:
            listed = ", ".join(f"id {motor_id} (model number {number})" for motor_id, number in found)
            raise MotorError(f"Found {len(found)} motors at {candidate} baud: {listed}.", device=bus.port, hint=only)
        motor_id, number = found[0]
        if number != expected:
            raise MotorError(
                f"Found one motor at {candidate} baud with id {motor_id}, but its model number is {number}.",
                device=bus.port,
                expected=f"{expected} ({model})",
                hint=only,
            )
        return candidate, motor_id
    raise MotorError(
        f"Motor '{name}' (model '{model}') was not found on port '{bus.port}'.",
        device=bus.port,
        hint="Make sure that it is connected and its power supply is on.",
    )

"""Finding a calibration: homing, and following joints while someone sweeps them through their travel."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from lerobot.core.errors import CalibrationError
from lerobot.core.hooks import tell_run
from lerobot.core.prompts import Prompter, TerminalPrompter
from lerobot.core.types import JointTravel
from lerobot.motors.motor import MotorCalibration
from lerobot.motors.serial.chain import ServoChain

PERIOD_S = 0.02
SMALLEST_TRAVEL = 1 / 64
"""Part of a turn below which a joint counts as not swept: 5.6 degrees."""
LARGEST_TRAVEL = 1 - 1 / 256
"""Part of a turn above which a joint without stops cannot be told from one with them."""
TOLERANCE = 1 / 128
"""Part of a turn a hand may move a joint between the sweep and the check after it."""


class Sweep:
    """The travel of one joint, followed across the seam of its encoder.

    A joint cannot turn by half a turn between two readings, so the difference of readings is always the short way
    round, and the sum of differences knows no seam.

    Args:
        reading: raw position the sweep starts at.
        resolution: encoder steps of a full turn.
    """

    def __init__(self, reading: int, resolution: int) -> None:
        self.start = self.position = self.low = self.high = reading
        self._resolution = resolution

    def add(self, reading: int) -> None:
        """Follow the joint to its next reading."""
        half = self._resolution // 2
        self.position += (reading - self.position + half) % self._resolution - half
        self.low = min(self.low, self.position)
        self.high = max(self.high, self.position)

    @property
    def travel(self) -> int:
        """Steps between the two ends reached so far."""
        return self.high - self.low

    @property
    def so_far(self) -> JointTravel:
        """What hooks are told."""
        return JointTravel(self.low, self.position, self.high, self._resolution)


def reset(bus: ServoChain, names: Sequence[str]) -> None:
    """Remove homing and limits from motors, and the calibration in use."""
    free = {name: _full_turn(bus, name, 0) for name in names}
    bus.write_calibration(free, cache=False)
    bus.calibration = {}


def set_half_turn_homings(bus: ServoChain, names: Sequence[str]) -> dict[str, int]:
    """Make the present position of motors their half turn; returns the Homing_Offset written, by name."""
    reset(bus, names)
    positions = bus.sync_read("Present_Position", names, normalize=False)
    offsets = {name: bus.homing_offset(bus.motors[name].model, int(positions[name])) for name in names}
    for name, offset in offsets.items():
        bus.write("Homing_Offset", name, offset)
    return offsets


def record_ranges_of_motion(
    bus: ServoChain, names: Sequence[str], display_values: bool = True, prompter: Prompter | None = None
) -> tuple[dict[str, int], dict[str, int]]:
    """Record the travel of homed motors until Enter is pressed.

    Args:
        bus: connected bus, torque off.
        names: motors to follow.
        display_values: show a live table.
        prompter: who presses Enter; the terminal if None.

    Returns:
        Smallest and largest raw position, by name.

    Raises:
        CalibrationError: a motor did not move, or crossed the seam of its encoder, so that no pair of smallest and
            largest position covers where it has been.
    """
    sweeps = follow(bus, names, display_values, prompter or TerminalPrompter())
    still = [name for name, sweep in sweeps.items() if sweep.travel == 0]
    if still:
        raise CalibrationError(f"Some motors have the same min and max values: {', '.join(still)}.", device=bus.port)
    for name, sweep in sweeps.items():
        _require_within_turn(bus, name, sweep.low, sweep.high)
    return {name: sweep.low for name, sweep in sweeps.items()}, {name: sweep.high for name, sweep in sweeps.items()}


def calibrate_by_sweep(
    bus: ServoChain,
    *,
    full_turn: Collection[str] = (),
    wheels: Collection[str] = (),
    drive_modes: Mapping[str, int] | None = None,
    prompter: Prompter | None = None,
    display_values: bool = True,
) -> dict[str, MotorCalibration]:
    """Sweep first, home afterwards, so that the seam of no encoder lies inside the travel of its joint.

    The middle of what was swept becomes the half turn of each motor, whatever pose the sweep began in. Joints that
    turn without stops are homed where they are when the sweep begins and keep the whole turn as their range.

    Args:
        bus: connected bus, torque off, in position mode; every motor of it is calibrated.
        full_turn: joints without stops.
        wheels: motors that go to no position: they are neither followed nor homed.
        drive_modes: direction of the joints, which motors that reverse themselves have already; 0 for those not named.
        prompter: who moves the joints and presses Enter; the terminal if None.
        display_values: show a live table.

    Returns:
        The calibration, written to the motors and in use.

    Raises:
        CalibrationError: a joint was not swept, turned further than a turn, or does not report the range afterwards.
    """
    names = list(bus.motors)
    reset(bus, names)
    joints = [name for name in names if name not in wheels]
    sweeps = follow(bus, joints, display_values, prompter or TerminalPrompter())
    calibration = {}
    for name in names:
        if name in wheels:
            entry = _full_turn(bus, name, 0)
        elif name in full_turn:
            entry = _full_turn(bus, name, bus.homing_offset(bus.motors[name].model, sweeps[name].start))
        else:
            entry = from_sweep(bus, name, sweeps[name])
        calibration[name] = replace(entry, drive_mode=(drive_modes or {}).get(name, 0))
    bus.write_calibration(calibration)
    _require_reported(bus, calibration)
    return calibration


def from_sweep(bus: ServoChain, name: str, sweep: Sweep) -> MotorCalibration:
    """Calibration that puts the middle of a sweep on the half turn.

    Args:
        bus: bus of the motor; not used to communicate.
        name: the motor.
        sweep: what the joint did while Homing_Offset was zero.

    Raises:
        CalibrationError: the sweep is too short, or so long that the joint must be one without stops.
    """
    motor = bus.motors[name]
    resolution = bus.model_resolution_table[motor.model]
    if sweep.travel < resolution * SMALLEST_TRAVEL:
        raise CalibrationError(
            f"'{name}' was moved by {sweep.travel} steps only ({sweep.travel * 360 / resolution:.1f} degrees).",
            device=bus.port,
            expected="a sweep from one mechanical stop to the other",
            hint="Calibrate again and move this joint through its whole travel.",
        )
    if sweep.travel > resolution * LARGEST_TRAVEL:
        raise CalibrationError(
            f"'{name}' was turned by {sweep.travel} steps, more than its encoder's turn of {resolution} can hold.",
            device=bus.port,
            expected="a joint with mechanical stops",
            hint="Calibrate again without turning this joint further than its working range.",
        )
    middle = (sweep.low + sweep.high) // 2
    offset = bus.homing_offset(motor.model, middle)
    homed = bus.homed(motor.model, middle, offset)
    low, high = homed - (middle - sweep.low), homed + (sweep.high - middle)
    _require_within_turn(bus, name, low, high)
    return MotorCalibration(motor.id, 0, offset, low, high)


def follow(bus: ServoChain, names: Sequence[str], display_values: bool, prompter: Prompter) -> dict[str, Sweep]:
    """Follow joints until Enter is pressed, telling hooks, and a live table, where each has been."""
    first = bus.sync_read("Present_Position", names, normalize=False)
    sweeps = {name: Sweep(int(first[name]), bus.model_resolution_table[bus.motors[name].model]) for name in names}
    shown = False
    if isinstance(prompter, TerminalPrompter):
        # Drawn anew fifty times a second it is a table on a terminal, and in a file megabytes of tables.
        display_values = display_values and prompter.can_redraw()
    while True:
        for name, reading in bus.sync_read("Present_Position", names, normalize=False).items():
            sweeps[name].add(int(reading))
        tell_run("calibration_progress", joints={name: sweep.so_far for name, sweep in sweeps.items()})
        if display_values:
            prompter.say(_table(sweeps, redraw=shown))
            shown = True
        if prompter.pressed_enter():
            return sweeps
        time.sleep(PERIOD_S)


def _table(sweeps: Mapping[str, Sweep], *, redraw: bool) -> str:
    lines = ["-" * 43, f"{'NAME':<15} | {'MIN':>6} | {'POS':>6} | {'MAX':>6}"]
    lines += [f"{name:<15} | {s.low:>6} | {s.position:>6} | {s.high:>6}" for name, s in sweeps.items()]
    up = f"\x1b[{len(lines)}A" if redraw else ""
    return up + "\n".join(lines)


def _full_turn(bus: ServoChain, name: str, offset: int) -> MotorCalibration:
    motor = bus.motors[name]
    return MotorCalibration(motor.id, 0, offset, 0, bus.model_resolution_table[motor.model] - 1)


def _require_within_turn(bus: ServoChain, name: str, low: int, high: int) -> None:
    largest = bus.model_resolution_table[bus.motors[name].model] - 1
    if low < 0 or high > largest:
        raise CalibrationError(
            f"'{name}' crossed the seam of its encoder: it moved from {low} to {high}.",
            device=bus.port,
            expected=f"a travel within 0 to {largest}",
            hint="Home the joint in the middle of its travel, or remount its horn, and calibrate again.",
        )


def _require_reported(bus: ServoChain, calibration: Mapping[str, MotorCalibration]) -> None:
    """Check that homed motors report a position inside the range just written."""
    for name, position in bus.sync_read("Present_Position", normalize=False).items():
        entry = calibration[name]
        slack = bus.model_resolution_table[bus.motors[name].model] * TOLERANCE
        if not entry.range_min - slack <= position <= entry.range_max + slack:
            raise CalibrationError(
                f"'{name}' reports {position} after homing, outside its range.",
                device=bus.port,
                expected=f"{entry.range_min} to {entry.range_max}",
                hint="Keep the arm still until the calibration is written, and calibrate again.",
            )

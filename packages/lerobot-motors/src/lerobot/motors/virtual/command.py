"""What `lerobot virtual-arm` does."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lerobot.core.prompts import TerminalPrompter
from lerobot.core.signals import check_stop, ended_by_signal
from lerobot.motors.calibration_file import load_calibration
from lerobot.motors.commands.virtual_arm import VirtualArmConfig
from lerobot.motors.errors import MotorValueError
from lerobot.motors.virtual.arm_spec import ArmSpec
from lerobot.motors.virtual.arms import ARMS
from lerobot.motors.virtual.line import Line
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.motors.virtual.new_motors import OneMotorAtATime, from_the_factory
from lerobot.motors.virtual.process import serve
from lerobot.motors.virtual.pty_line import PtyLine
from lerobot.motors.virtual.spec import Fault
from lerobot.motors.virtual.sway import Sway


def virtual_arm(config: VirtualArmConfig) -> None:
    """Run the arm until Ctrl-C or SIGTERM."""
    spec = ARMS[config.arm].seeded(config.seed)
    if config.calibration is not None:
        spec = spec.holding(load_calibration(config.calibration))
    now = time.monotonic()
    line = _new(config, spec).open(now) if config.new else spec.open(now)
    for joint, text in config.faults.items():
        fault, value = _parse(text)
        line.set_fault(_motor_id(spec, joint), fault, value, now)
    with ended_by_signal(), _published(config.port_file, line.port):
        TerminalPrompter().say(f"{config.arm} on port {line.port} (Ctrl-C ends it)")
        serve(line, each_turn=_turn(_hand(line, spec, config)))


def _new(config: VirtualArmConfig, spec: ArmSpec) -> LineSpec:
    """Servos from the factory."""
    if not isinstance(spec, LineSpec):
        raise MotorValueError(f"--new: `lerobot setup-motors` gives the motors of {config.arm} no ids.")
    return from_the_factory(spec)


def _hand(line: PtyLine, spec: ArmSpec, config: VirtualArmConfig) -> Callable[[float], None] | None:
    """What somebody does to the arm meanwhile."""
    if config.new and isinstance(line, Line):
        return OneMotorAtATime(line, spec.names, TerminalPrompter().say)
    return Sway(line) if config.motion == "sway" else None


def _turn(hand: Callable[[float], None] | None) -> Callable[[float], None]:
    def turn(now: float) -> None:
        check_stop()
        if hand is not None:
            hand(now)

    return turn


@contextlib.contextmanager
def _published(path: Path | None, port: str) -> Iterator[None]:
    """Keep the name of the port in a file for the block; a reader sees the whole name or no file."""
    if path is None:
        yield
        return
    aside = path.with_name(f".{path.name}.new")
    aside.write_text(port + "\n", encoding="utf-8")
    aside.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _motor_id(spec: ArmSpec, joint: str) -> int:
    if joint not in spec.ids:
        raise MotorValueError(f"--faults: there is no joint {joint!r}.", expected=", ".join(spec.ids))
    return spec.ids[joint]


def _parse(text: str) -> tuple[Fault, float | None]:
    name, _, value = text.partition("=")
    try:
        return Fault(name.strip()), float(value) if value else None
    except ValueError as error:
        raise MotorValueError(
            f"--faults: {text!r} is no fault.", expected=f"one of {', '.join(Fault)}, with =NUMBER after it if wanted"
        ) from error

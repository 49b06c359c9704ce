"""Why an arm does not hold the calibration of its file."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from lerobot.feetech import FeetechMotorsBus
from lerobot.motors import MotorCalibration, MotorNormMode, save_calibration
from lerobot.motors.calibration_file import known_calibrations
from lerobot.motors.serial.identity import (
    Identity,
    identity_path,
    load_identity,
    read_identity,
    save_identity,
    why_it_differs,
)
from lerobot.motors.virtual import Fault, VirtualBus, with_calibration

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
BLACK = {name: MotorCalibration(i, 0, 100 * i, 900, 3000 + i) for i, name in enumerate(JOINTS, start=1)}
BLUE = {name: replace(entry, homing_offset=entry.homing_offset - 7) for name, entry in BLACK.items()}


@pytest.fixture
def connect(start, six) -> Iterator[Callable[[dict[str, MotorCalibration]], tuple[VirtualBus, FeetechMotorsBus]]]:
    """An arm that holds a calibration, and its connected bus."""
    buses: list[FeetechMotorsBus] = []

    def connect(held: dict[str, MotorCalibration]) -> tuple[VirtualBus, FeetechMotorsBus]:
        line = start(with_calibration(six, held))
        bus = FeetechMotorsBus(line.port, line.spec.motors(MotorNormMode.DEGREES), BLACK)
        bus.connect()
        buses.append(bus)
        return line, bus

    yield connect
    for bus in buses:
        bus.disconnect(disable_torque=False)


@pytest.fixture
def black(lerobot_home: Path) -> Path:
    path = lerobot_home / "calibration" / "robots" / "so_follower" / "black.json"
    save_calibration(path, BLACK)
    return path


def test_an_identity_is_kept_beside_the_calibration(connect, black: Path) -> None:
    _, bus = connect(BLACK)
    identity = read_identity(bus)
    assert identity == Identity("", dict.fromkeys(JOINTS, "sts3215 3.10"))
    save_identity(identity_path(black), identity)
    assert load_identity(identity_path(black)) == identity
    assert sorted(path.name for path in black.parent.iterdir()) == ["black.identity", "black.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"adapter": "", "motors": 3}'])
def test_an_identity_that_cannot_be_read_is_none(tmp_path: Path, text) -> None:
    path = tmp_path / "black.identity"
    assert load_identity(path) is None
    path.write_text(text)
    assert load_identity(path) is None


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, caplog) -> None:
    save_identity(tmp_path / "nowhere" / "black.identity", Identity("", {}))
    assert "could not be written" in caplog.text


def test_the_adapter_is_known_by_its_serial_number(connect, monkeypatch) -> None:
    _, bus = connect(BLACK)
    ports = [
        SimpleNamespace(device="/dev/ttyACM9", vid=1, pid=2, serial_number="other"),
        SimpleNamespace(device=bus.port, vid=0x1A86, pid=0x55D3, serial_number="58760431551"),
    ]
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: ports)
    assert read_identity(bus).adapter == "1a86:55d3 58760431551"
    ports[1].serial_number = None
    assert read_identity(bus).adapter == ""


def test_the_arm_whose_calibration_the_motors_hold_is_named(connect, black: Path) -> None:
    _, bus = connect(BLUE)
    blue = black.parents[2] / "teleoperators" / "so_leader" / "blue.json"
    save_calibration(blue, BLUE)
    blue.with_name("broken.json").write_text("{")
    reason = why_it_differs(bus, black, known_calibrations(black))
    assert reason.startswith("another arm is plugged in: its motors hold the calibration of ")
    assert str(blue.resolve()) in reason
    blue.unlink()
    reason = why_it_differs(bus, black, known_calibrations(black))
    assert reason == f"the motors hold other values than {black}: {', '.join(JOINTS)}. Is it another arm?"


def test_another_adapter_is_told(connect, black: Path, monkeypatch) -> None:
    _, bus = connect(BLUE)
    save_identity(identity_path(black), Identity("1a86:55d3 111", dict.fromkeys(JOINTS, "sts3215 3.10")))
    port = SimpleNamespace(device=bus.port, vid=0x1A86, pid=0x55D3, serial_number="222")
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [port])
    reason = why_it_differs(bus, black, [])
    assert reason == (
        f"another arm may be plugged in: {black} was made with USB adapter 1a86:55d3 111, this one is 1a86:55d3 222."
    )


def test_new_motors_and_replaced_motors_are_named(connect, black: Path) -> None:
    held = {**BLACK, "gripper": MotorCalibration(6, 0, 0, 0, 4095)}
    line, bus = connect(held)
    reason = why_it_differs(bus, black, [black])
    assert reason == f"new or reset motors, without the calibration of {black}: gripper."
    save_identity(identity_path(black), read_identity(bus))
    line.fault(6, Fault.WRONG_FIRMWARE, 9)
    reason = why_it_differs(bus, black, [black])
    assert reason == f"motors were replaced since {black} was made: gripper was sts3215 3.10, is sts3215 3.9."

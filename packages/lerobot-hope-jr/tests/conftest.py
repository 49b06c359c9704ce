"""A virtual HopeJR arm and hand, wearables that print lines, and the calibration of each."""

import array
import fcntl
import multiprocessing
import os
import pty
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from lerobot.core.testing import ScriptedPrompter
from lerobot.hope_jr.sensors import EXOSKELETON, GLOVES, Sensor
from lerobot.hope_jr.tables import ARM, HANDS
from lerobot.motors import MotorCalibration, save_calibration
from lerobot.motors.virtual import ARMS, VirtualBus, with_calibration

# The processes of virtual lines are forked from one that has these modules, which saves 0.3 s of processor time each.
multiprocessing.set_forkserver_preload(["lerobot.motors.virtual.process", "lerobot.feetech.virtual"])

LINE_PERIOD_S = 0.005


def worn(sensors: dict[str, Sensor]) -> dict[str, MotorCalibration]:
    return {name: MotorCalibration(i, s.drive_mode, 0, 500, 3500) for i, (name, s) in enumerate(sensors.items())}


CALIBRATIONS = {
    "hope_jr_arm": {name: MotorCalibration(j.motor_id, 0, 15, 1000, 3000) for name, j in ARM.joints.items()},
    "hope_jr_hand": {
        name: MotorCalibration(j.motor_id, j.drive_mode, 0, 200, 900) for name, j in HANDS["right"].joints.items()
    },
    "glove": worn(dict(GLOVES["right"])),
    "exoskeleton": worn(dict(EXOSKELETON)),
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lerobot.motors.serial.sweep.PERIOD_S", 0.0)
    monkeypatch.setattr("lerobot.motors.arms.follower.CAMERA_TEST_S", 0.05)


@pytest.fixture
def start() -> Iterator[Callable[..., VirtualBus]]:
    """Start virtual arms and hands that hold the calibration of this file."""
    running: list[VirtualBus] = []

    def start(name: str, *, calibrated: bool = True) -> VirtualBus:
        spec = with_calibration(ARMS[name], CALIBRATIONS[name]) if calibrated else ARMS[name]
        running.append(VirtualBus(spec))
        return running[-1]

    yield start
    for line in running:
        line.close()


class Wearable:
    """A device on a pseudo-terminal that prints a line of integers every `LINE_PERIOD_S` seconds.

    Attributes:
        text: what it prints now.
        port: path to open instead of a serial port.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._fresh = 0
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.port = os.ttyname(self._slave)
        self._stopped = threading.Event()
        self._printer = threading.Thread(target=self._print, daemon=True)

    def wear(self, values: Sequence[int]) -> None:
        """Print these integers from now on."""
        self.text = " ".join(map(str, values))
        self._fresh = 0

    def is_seen(self) -> bool:
        """Whether what it prints now was printed, and read away by whoever has the port open."""
        unread = array.array("i", [0])
        fcntl.ioctl(self._slave, termios.FIONREAD, unread)
        return self._fresh >= 2 and not unread[0]

    def switch_on(self) -> None:
        """Begin to print."""
        self._printer.start()

    def _print(self) -> None:
        while not self._stopped.wait(LINE_PERIOD_S):
            try:
                os.write(self.master, f"{self.text}\n".encode())
                self._fresh += 1
            except BlockingIOError:
                pass  # nobody reads

    def switch_off(self) -> None:
        """Stop printing; the port stays."""
        self._stopped.set()
        if self._printer.is_alive():
            self._printer.join()

    def unplug(self) -> None:
        """Take the port away."""
        self.switch_off()
        for end in (self.master, self._slave):
            if end >= 0:
                os.close(end)
        self.master = self._slave = -1


class Wearer(ScriptedPrompter):
    """Somebody who moves every joint of a wearable from end to end when told to."""

    def __init__(self, device: Wearable, fields: int) -> None:
        super().__init__()
        self._device, self._fields = device, fields
        self._poses: list[int] = []

    def ask(self, text: str) -> str:
        self._poses = [500, 500, 3500, 3500, 2000]
        return super().ask(text)

    def pressed_enter(self) -> bool:
        if not self._poses:
            return True
        self._device.wear([self._poses.pop(0)] * self._fields)
        while not self._device.is_seen():
            time.sleep(LINE_PERIOD_S)
        return False


@pytest.fixture
def wearable() -> Iterator[Callable[[str], Wearable]]:
    """Start devices that print a line again and again."""
    running: list[Wearable] = []

    def make(text: str) -> Wearable:
        running.append(Wearable(text))
        running[-1].switch_on()
        return running[-1]

    yield make
    for device in running:
        device.unplug()


@pytest.fixture
def wearer() -> type[Wearer]:
    return Wearer


@pytest.fixture
def calibrations(tmp_path: Path) -> Path:
    """A folder with the calibration of each kind of device, under its name in `CALIBRATIONS`."""
    for name, calibration in CALIBRATIONS.items():
        save_calibration(tmp_path / "calibrations" / f"{name}.json", calibration)
    return tmp_path / "calibrations"

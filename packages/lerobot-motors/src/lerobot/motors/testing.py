"""Contracts of arms on virtual servos, and the fixtures that their tests share.

A package's `conftest.py` imports the fixtures and gives `held`; its contract test names the device and its virtual arm:

    class TestFollower(FollowerContract):
        registered, arm = "koch_follower", "koch"
"""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lerobot.core.config.base import PluginConfig
from lerobot.core.fake.config import FakeCameraConfig
from lerobot.core.registry import registry
from lerobot.core.testing import RobotContract, TeleoperatorContract
from lerobot.motors.calibration_file import save_calibration
from lerobot.motors.motor import MotorCalibration
from lerobot.motors.virtual import ARMS, ArmSpec, LineSpec, Sweeper, VirtualBus

__all__ = [
    "FollowerContract",
    "FollowerPairContract",
    "LeaderContract",
    "LeaderPairContract",
    "calibrations",
    "held",
    "quick",
    "start",
]

CAMERA = FakeCameraConfig(width=64, height=48, fps=30)

Start = Callable[..., VirtualBus]

# --- fixtures --------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps without waiting, and a moment for counting the pictures of cameras."""
    monkeypatch.setattr("lerobot.motors.serial.sweep.PERIOD_S", 0.0)
    for module in ("follower", "pair"):
        monkeypatch.setattr(f"lerobot.motors.arms.{module}.CAMERA_TEST_S", 0.05)


@pytest.fixture(scope="session")
def held() -> Mapping[str, dict[str, MotorCalibration]]:
    """Calibrations that virtual arms hold, by the arm's name, a follower's first; a package gives its own."""
    return {}


@pytest.fixture
def start(held: Mapping[str, dict[str, MotorCalibration]]) -> Iterator[Start]:
    """Start virtual arms, by name or by their servos, that end with the test.

    An arm by name holds its calibration of `held`, unless it shall not be `calibrated`; `registers` are contents that
    its servos have on top of it, by id.
    """
    running: list[VirtualBus] = []

    def start(
        arm: str | ArmSpec, *, calibrated: bool = True, registers: Mapping[int, Mapping[str, int]] | None = None
    ) -> VirtualBus:
        spec = ARMS[arm] if isinstance(arm, str) else arm
        if isinstance(arm, str) and calibrated:
            spec = spec.holding(held.get(arm, {}))
        if registers and isinstance(spec, LineSpec):
            servos = (replace(each, registers={**each.registers, **registers.get(each.id, {})}) for each in spec.servos)
            spec = replace(spec, servos=tuple(servos))
        # The processes are forked from one that has these modules, which saves 0.3 s of processor time each.
        multiprocessing.set_forkserver_preload([VirtualBus.__module__, spec.protocol.__module__])
        running.append(VirtualBus(spec))
        return running[-1]

    yield start
    for line in running:
        line.close()


@pytest.fixture
def calibrations(held: Mapping[str, dict[str, MotorCalibration]], tmp_path: Path) -> Path:
    """A folder with the calibration of followers called black and of leaders called blue, single and in pairs."""
    follower, leader = next(iter(held.values())), list(held.values())[-1]
    for name, calibration in (("black", follower), ("blue", leader)):
        for side in ("", "_left", "_right"):
            save_calibration(tmp_path / "calibrations" / f"{name}{side}.json", calibration)
    return tmp_path / "calibrations"


# --- contracts -------------------------------------------------------------------------------------------------------


class OnVirtualArms:
    """What contracts of every arm share.

    Attributes:
        registered: name of the device.
        arm: name of the virtual arm.
        id: whose calibration of the fixture `calibrations` it has.
        fields: further fields of its configuration.
        lines: the virtual arms of the running test.
    """

    registered: ClassVar[str]
    arm: ClassVar[str]
    id: ClassVar[str]
    fields: ClassVar[Mapping[str, Any]] = {}
    lines: list[VirtualBus]

    def run_calibration(self, device: Any) -> None:
        """Have somebody sweep the joints."""
        device.prompter = Sweeper(self.lines, ["c"] * len(self.lines))
        device.calibrate()

    def in_safe_state(self, device: Any) -> bool:  # noqa: ARG002 (the motors are asked)
        """Whether no motor has torque."""
        return not any(
            line.state(motor_id)["Torque_Enable"] for line in self.lines for motor_id in line.spec.ids.values()
        )

    def make_config(self, kind: str, folder: Path, **fields: Any) -> PluginConfig:
        """Configuration of the device, with its calibration in a folder."""
        made = {"id": self.id, "calibration_dir": folder, **self.fields, **fields}
        config: PluginConfig = registry.config_class(kind, self.registered)(**made)
        return config


class OfTwoArms(OnVirtualArms):
    """A pair fails to connect when its second arm does, and must then release the first."""

    def break_connect(self, device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """See `DeviceContract.break_connect`."""
        super().break_connect(device.arms["right_"], monkeypatch)  # type: ignore[misc]


class FollowerContract(OnVirtualArms, RobotContract):
    """A robot of servos on one line, with a camera."""

    id = "black"
    capabilities: ClassVar[set[str]] = {"calibration", "cameras", "setup_motors"}

    @pytest.fixture
    def config(self, start: Start, calibrations: Path) -> PluginConfig:
        """See `DeviceContract.config`."""
        self.lines = [start(self.arm)]
        return self.make_config("robot", calibrations, port=self.lines[0].port, cameras={"front": CAMERA})


class FollowerPairContract(OfTwoArms, RobotContract):
    """Two such robots as one; a camera belongs to the left arm, another to none."""

    id = "black"
    capabilities: ClassVar[set[str]] = {"calibration", "cameras", "setup_motors"}

    @pytest.fixture
    def config(self, start: Start, calibrations: Path) -> PluginConfig:
        """See `DeviceContract.config`."""
        left, right = self.lines = [start(self.arm), start(self.arm)]
        return self.make_config(
            "robot",
            calibrations,
            left_arm_config={"port": left.port, "cameras": {"front": CAMERA}},
            right_arm_config={"port": right.port},
            cameras={"top": CAMERA},
        )


class LeaderContract(OnVirtualArms, TeleoperatorContract):
    """A leader arm of servos."""

    id = "blue"
    capabilities: ClassVar[set[str]] = {"calibration", "feedback"}

    @pytest.fixture
    def config(self, start: Start, calibrations: Path) -> PluginConfig:
        """See `DeviceContract.config`."""
        self.lines = [start(self.arm)]
        return self.make_config("teleoperator", calibrations, port=self.lines[0].port)


class LeaderPairContract(OfTwoArms, TeleoperatorContract):
    """Two leader arms as one."""

    id = "blue"
    capabilities: ClassVar[set[str]] = {"calibration", "feedback"}

    @pytest.fixture
    def config(self, start: Start, calibrations: Path) -> PluginConfig:
        """See `DeviceContract.config`."""
        left, right = self.lines = [start(self.arm), start(self.arm)]
        return self.make_config(
            "teleoperator",
            calibrations,
            left_arm_config={"port": left.port},
            right_arm_config={"port": right.port},
        )

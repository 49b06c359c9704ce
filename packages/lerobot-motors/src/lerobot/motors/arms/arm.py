"""An arm on any bus: its connection, its calibration file and its positions."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypeAlias

from lerobot.core.device import DeviceBase, calibration_path
from lerobot.core.errors import CalibrationError, DeviceError
from lerobot.core.prompts import Prompter
from lerobot.core.types import FeatureSpec, Observation, Stamp
from lerobot.motors.arms.config import FollowerConfig, LeaderConfig
from lerobot.motors.bus import MotorsBus
from lerobot.motors.calibration_file import find_calibration, load_calibration
from lerobot.motors.finding import Finding

log = logging.getLogger(__name__)

AnyArmConfig: TypeAlias = FollowerConfig | LeaderConfig


class Arm(DeviceBase, ABC):
    """An arm that can be connected, calibrated and read.

    Args:
        config: its type and its id.
        bus: the motors, not connected; it gets the calibration of the file.
        reads: how often a lost reading is asked for again, if more than the bus does anyway.
        prompter: who answers questions; the terminal if None.

    Attributes:
        bus: the motors.
        calibration_path: where its calibration is written.
    """

    role: ClassVar[str]
    """`"robots"` or `"teleoperators"`."""

    former_names: ClassVar[tuple[str, ...]] = ()
    """Names of the class in earlier releases: folders where its calibration may still be."""

    def __init__(
        self, config: AnyArmConfig, bus: MotorsBus, *, reads: int = 0, prompter: Prompter | None = None
    ) -> None:
        super().__init__(config.id, prompter=prompter)
        self.bus = bus
        self._reads = reads
        self.calibration_path = calibration_path(self.role, self.name, config.id, config.calibration_dir)
        # The former name equal to the type in use is the likelier one.
        former = sorted(self.former_names, key=lambda name: name != config.type)
        self._found = find_calibration(self.role, self.name, config.id, config.calibration_dir, former)
        self._unreadable: CalibrationError | None = None
        if self._found.is_file():
            try:
                self.bus.calibration = load_calibration(self._found, self.bus.calibration_limits)
            except CalibrationError as error:
                # A file that cannot be used must not prevent a new calibration.
                self._unreadable = error

    # --- what a kind of arm adds -------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def joint_features(self) -> dict[str, FeatureSpec]:
        """`<joint>.pos` with unit, range and speed."""

    @property
    def calibration_asks(self) -> bool:
        """See `AsksToCalibrate`."""
        return True

    @abstractmethod
    def calibrate(self) -> None:
        """Write the calibration of the file to the motors, or find a new one and save it."""

    @abstractmethod
    def configure(self) -> None:
        """Write the settings the arm works with."""

    @abstractmethod
    def _start(self) -> None:
        """Make the connected arm ready, with torque as its kind of arm needs it."""

    @property
    def positioned(self) -> list[str]:
        """Motors that are sent to positions: all, unless the arm stands on wheels."""
        return list(self.bus.motors)

    def _settle(self) -> None:
        """Take note of a calibration that fits."""

    def _difference(self) -> str:
        """Why the motors do not hold the calibration in use; only asked of a connected arm."""
        if not self.bus.calibration:
            return f"there is no calibration file {self.calibration_path}."
        return f"the motors hold other values than {self._found}."

    # --- connection and calibration ----------------------------------------------------------------------------------

    def connect(self, calibrate: bool = True) -> None:
        """See `Calibratable.connect`."""
        with self._connecting():
            if calibrate:
                self.require_usable_file()
            self.bus.connect()
            if calibrate:
                self._require_calibration()
            self._start()

    def require_usable_file(self) -> None:
        """Check the calibration file, if there is one.

        Raises:
            CalibrationError: it cannot be read, or the motors cannot hold what it says.
        """
        if self._unreadable is not None:
            raise self._unreadable

    def _require_calibration(self) -> None:
        if self.is_calibrated:
            self._settle()
            return
        if not self.bus.calibration:
            log.info("%s: %s", self, self._difference())
        try:
            self.calibrate()
        except EOFError as error:
            raise CalibrationError(
                f"{self} is not calibrated, and nobody is at the terminal to do it: {self._difference()}",
                device=str(self),
                hint=self._way_out(),
            ) from error

    @property
    def is_calibrated(self) -> bool:
        """Whether the motors hold the calibration in use; never without one, or unconnected."""
        return self.bus.is_connected and bool(self.bus.calibration) and self.bus.is_calibrated

    def _way_out(self) -> str:
        """What to do about the difference."""
        calibrate = "Run `lerobot calibrate` for it in a terminal"
        return (
            f"Check which arm is on which port. {calibrate} if it is the right one."
            if self.bus.calibration
            else f"{calibrate}."
        )

    def _wants_new_calibration(self) -> bool:
        answer = self.prompter.ask(
            f"Press ENTER to use provided calibration file associated with the id {self.id}, "
            "or type 'c' and press ENTER to run calibration: "
        )
        return answer.strip().lower() == "c"

    def diagnose(self) -> list[Finding]:
        """What is wrong with the unconnected arm, motor by motor; nothing moves and nothing is written."""
        return self.bus.diagnose() or self._calibration_findings()

    def _calibration_findings(self) -> list[Finding]:
        """Whether sound motors hold the calibration of the file."""
        if self._unreadable is not None:
            return [Finding("calibration", "", 0, self._unreadable.what, self._unreadable.hint)]
        self.bus.connect()
        try:
            if self.is_calibrated:
                return []
            return [Finding("calibration", "", 0, self._difference(), self._way_out())]
        finally:
            if self.bus.is_connected:
                self.bus.disconnect(disable_torque=False)

    # --- positions ---------------------------------------------------------------------------------------------------

    def measure(self) -> Observation:
        """Positions of all joints with the time they were measured at."""
        self.require_connected()
        begin = time.monotonic()
        positions = self.bus.sync_read("Present_Position", self.positioned, num_retry=self._reads)
        stamp = Stamp((begin + time.monotonic()) / 2)
        values = {f"{joint}.pos": float(position) for joint, position in positions.items()}
        return Observation(values, dict.fromkeys(values, stamp))

    @staticmethod
    def _goals(values: Mapping[str, Any]) -> dict[str, float]:
        """Targets by joint; keys that do not end in `.pos` are left out."""
        return {key.removesuffix(".pos"): float(value) for key, value in values.items() if key.endswith(".pos")}

    def _close_bus(self, *, disable_torque: bool) -> None:
        """Close the line; what is gone already is no reason to fail, but torque that stays on is told."""
        if not self.bus.is_connected:
            return
        try:
            self.bus.disconnect(disable_torque)
        except DeviceError as error:
            log.error("%s: %s", self, error)

"""What the Homunculus exoskeleton and glove share: lines of integers, calibration by movement, smoothing."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from lerobot.core.device import DeviceBase, calibration_path
from lerobot.core.errors import CalibrationError
from lerobot.core.hooks import tell_run
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec, JointTravel
from lerobot.hope_jr.config import HomunculusConfig
from lerobot.hope_jr.sensors import Sensor
from lerobot.motors.calibration_file import find_calibration, load_calibration, save_calibration
from lerobot.motors.calibration_limits import CalibrationLimits
from lerobot.motors.motor import MotorCalibration
from lerobot.motors.normalization import normalize
from lerobot.motors.serial.integer_lines import LARGEST, IntegerLines

ROLE = "teleoperators"
FIRST_LINE_S = 2.0
"""How long the device may take to print after its port was opened: some start anew then."""
MAX_AGE_S = 0.5
"""Age at which a reading is no command any more."""
PERIOD_S = 0.02
RESOLUTION = 4096
"""Steps of a sensor's converter."""
SMALLEST_TRAVEL = RESOLUTION // 64
"""Steps below which a joint counts as not moved: more than a resting sensor's noise."""


class RunningMean:
    """Exponential mean of samples by name; the first sample begins it.

    Args:
        readings: how many readings it remembers, so to speak: a new one weighs 2 / (readings + 1).
    """

    def __init__(self, readings: int) -> None:
        self._weight = 2 / (readings + 1)
        self.values: dict[str, float] = {}

    def add(self, sample: Mapping[str, float]) -> None:
        """Move towards a sample."""
        for name, value in sample.items():
            mean = self.values.get(name, value)
            self.values[name] = mean + self._weight * (value - mean)


class Homunculus(DeviceBase, ABC):
    """A device that is worn and prints the readings of its sensors.

    Args:
        config: its port, id and side.
        fields: integers of a line.
        sensors: the sensors by joint.
        parts: joints that are calibrated together, by what the person is told to move.
        readings: what `RunningMean` remembers.
        prompter: who answers questions; the terminal if None.

    Attributes:
        calibration: range of each joint, in steps of its sensor; empty if there is no file.
        calibration_path: where its calibration is written.
    """

    def __init__(
        self,
        config: HomunculusConfig,
        *,
        fields: int,
        sensors: Mapping[str, Sensor],
        parts: Mapping[str, Iterable[str]],
        readings: int,
        prompter: Prompter | None = None,
    ) -> None:
        super().__init__(config.id, prompter=prompter)
        self._lines = IntegerLines(config.port, config.baud_rate, fields)
        self._sensors, self._parts, self._readings = sensors, parts, readings
        self._mean = RunningMean(readings)
        self.calibration: dict[str, MotorCalibration] = {}
        self.calibration_path = calibration_path(ROLE, self.name, config.id, config.calibration_dir)
        self._unreadable: CalibrationError | None = None
        found = find_calibration(ROLE, self.name, config.id, config.calibration_dir)
        if found.is_file():
            try:
                self.calibration = load_calibration(found, self._limits())
            except CalibrationError as error:
                # A file that cannot be used must not prevent a new calibration.
                self._unreadable = error

    def _limits(self) -> dict[str, CalibrationLimits]:
        return {joint: CalibrationLimits(i, (0, LARGEST), None) for i, joint in enumerate(self._sensors)}

    # --- what each adds ----------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def action_features(self) -> dict[str, FeatureSpec]:
        """See `Teleoperator.action_features`."""

    @abstractmethod
    def _sample(self, readings: Mapping[str, int]) -> Mapping[str, float]:
        """What of the readings by joint is averaged."""

    @abstractmethod
    def _action(self, mean: Mapping[str, float]) -> Action:
        """The action that averaged samples mean."""

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, calibrate: bool = True) -> None:
        """See `Calibratable.connect`."""
        with self._connecting():
            if calibrate and self._unreadable is not None:
                raise self._unreadable
            self._mean = RunningMean(self._readings)
            self._lines.open()
            self._lines.wait_for_next(FIRST_LINE_S)
            if calibrate and not self.is_calibrated:
                self._calibrate_or_say_how()
            self.configure()

    def _calibrate_or_say_how(self) -> None:
        try:
            self.calibrate()
        except EOFError as error:
            raise CalibrationError(
                f"{self} is not calibrated, and nobody is at the terminal to do it: "
                f"there is no calibration file {self.calibration_path}.",
                device=str(self),
                hint="Run `lerobot calibrate` for it in a terminal.",
            ) from error

    def configure(self) -> None:
        """There is nothing to configure."""

    def _close(self) -> None:
        self._lines.close()

    # --- calibration -------------------------------------------------------------------------------------------------

    @property
    def is_calibrated(self) -> bool:
        """Whether there is a calibration: the sensors themselves hold none."""
        return bool(self.calibration)

    @property
    def calibration_asks(self) -> bool:
        """See `AsksToCalibrate`."""
        return True

    def calibrate(self) -> None:
        """Find the range of every joint by moving it, part by part, and save it.

        Raises:
            CalibrationError: a joint was not moved; nothing was saved.
        """
        ranges: dict[str, tuple[int, int]] = {}
        for part, joints in self._parts.items():
            ranges |= self._record(part, tuple(joints))
        self.calibration = {
            joint: MotorCalibration(i, sensor.drive_mode, 0, *ranges[joint])
            for i, (joint, sensor) in enumerate(self._sensors.items())
        }
        self._unreadable = None
        save_calibration(self.calibration_path, self.calibration)
        self.prompter.say(f"Calibration saved to {self.calibration_path}")
        self._mean = RunningMean(self._readings)
        self._lines.wait_for_next(MAX_AGE_S)

    def _record(self, part: str, joints: tuple[str, ...]) -> dict[str, tuple[int, int]]:
        """Smallest and largest reading of some joints until Enter is pressed."""
        self.prompter.ask(f"Press ENTER to record the range of {part}....")
        self.prompter.say(f"Move {part} through the entire range of motion. Press ENTER to stop...")
        self._lines.wait_for_next(MAX_AGE_S)
        travels: dict[str, JointTravel] = {}
        while True:
            for line in self._lines.take(MAX_AGE_S):
                for joint in joints:
                    reading = line[self._sensors[joint].field]
                    low, _, high, _ = travels.get(joint, (reading, reading, reading, RESOLUTION))
                    travels[joint] = JointTravel(min(low, reading), reading, max(high, reading), RESOLUTION)
            tell_run("calibration_progress", joints=dict(travels))
            if self.prompter.pressed_enter():
                break
            time.sleep(PERIOD_S)
        ranges = {joint: (travel.smallest, travel.largest) for joint, travel in travels.items()}
        still = {joint: high - low for joint, (low, high) in ranges.items() if high - low < SMALLEST_TRAVEL}
        if still:
            raise CalibrationError(
                f"{', '.join(f'{joint!r} moved by {travel} steps' for joint, travel in still.items())} only.",
                device=str(self),
                expected=f"at least {SMALLEST_TRAVEL} steps from one end of the motion to the other",
                hint="Calibrate again and move every joint; a sensor that does not follow is loose.",
            )
        return ranges

    def normalized(self, joint: str, reading: float) -> float:
        """A reading in the unit of its joint, 0 to 100 or -100 to 100."""
        sensor = self._sensors[joint]
        entry = self.calibration[joint]
        return normalize(round(reading), entry, sensor.norm_mode, RESOLUTION, honours_drive_mode=True)

    # --- commands ----------------------------------------------------------------------------------------------------

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`; every line that arrived since the last call counts for the mean.

        Raises:
            CalibrationError: there is no calibration.
            DeviceTimeoutError: the newest line is older than half a second.
            DeviceConnectionError: the port was lost.
        """
        self.require_connected()
        if not self.is_calibrated:
            raise CalibrationError(
                f"{self} is not calibrated.", device=str(self), hint="Run `lerobot calibrate` for it in a terminal."
            )
        for line in self._lines.take(MAX_AGE_S):
            self._mean.add(self._sample({joint: line[sensor.field] for joint, sensor in self._sensors.items()}))
        return self._action(self._mean.values)

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """There is nothing to feel."""
        return {}

    def send_feedback(self, feedback: dict[str, Any]) -> None:  # noqa: ARG002 - part of the protocol
        """See `Teleoperator.send_feedback`; nothing is felt."""
        self.require_connected()

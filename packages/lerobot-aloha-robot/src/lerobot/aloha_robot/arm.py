"""What followers and leaders of ALOHA share: joints that two servos turn."""

from lerobot.aloha_robot.bus import ShadowedBus
from lerobot.core.errors import CalibrationError
from lerobot.core.types import Observation
from lerobot.motors.arms.servo_arm import ServoArm
from lerobot.motors.finding import Finding


class ShadowedArm(ServoArm):
    """An arm whose shadow servos are calibrated and examined, but are no joints of their own."""

    bus: ShadowedBus

    def measure(self) -> Observation:
        """Positions of the joints; shadows are read too, so that one that is in trouble is heard."""
        measured = super().measure()
        joints = self.joint_features
        stamps = {key: stamp for key, stamp in measured.stamps.items() if key in joints}
        return Observation({key: measured[key] for key in joints}, stamps)

    def calibrate(self) -> None:
        """See `ServoArm.calibrate`.

        Raises:
            CalibrationError: a joint was not swept, or its two servos do not agree where it is.
        """
        super().calibrate()
        self.bus.require_agreement()

    def _require_calibration(self) -> None:
        super()._require_calibration()
        self.bus.require_agreement()

    def _calibration_findings(self) -> list[Finding]:
        if findings := super()._calibration_findings():
            return findings
        self.bus.connect()
        try:
            self.bus.require_agreement()
        except CalibrationError as error:
            return [Finding("calibration", "", 0, error.what, error.hint)]
        finally:
            if self.bus.is_connected:
                self.bus.disconnect(disable_torque=False)
        return []

"""The exoskeleton of a G1: two arms that are worn."""

import math
from contextlib import ExitStack
from typing import Any

from lerobot.core.device import DeviceBase, calibration_path
from lerobot.core.errors import CalibrationError, DeviceError
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec
from lerobot.unitree_g1.calibration import RECALIBRATE, SENSORS
from lerobot.unitree_g1.config import UnitreeG1TeleoperatorConfig
from lerobot.unitree_g1.exoskeleton import ExoskeletonArm
from lerobot.unitree_g1.joints import AXES

ANGLE = FeatureSpec(unit="rad", range=(-math.pi, math.pi))
AXIS = FeatureSpec(range=(-1.0, 1.0))


class Exoskeleton(DeviceBase):
    """Gives the angles of both arms, and how far the sticks in their hands are pushed.

    The angles are the exoskeleton's own, five per arm. huggingface/lerobot makes the fourteen joints of a G1's arms of
    them with models of the Hub (lerobot/unitree-g1-mujoco), pinocchio and casadi, which there is not here: between this
    and a G1 stands a processor step of yours.

    Args:
        config: see `UnitreeG1TeleoperatorConfig`.
        prompter: who answers the questions of a calibration; the terminal if None.

    Raises:
        DeviceError: no port is given.
    """

    name = "unitree_g1"

    def __init__(self, config: UnitreeG1TeleoperatorConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        if not config.left_arm_config.port:
            raise DeviceError(
                "unitree_g1 has no exoskeleton: no port is given.",
                device=str(self),
                expected="--teleop.left_arm_config.port and --teleop.right_arm_config.port",
                hint="Sticks alone lead a robot that walks by networks of the Hub, which there are not here.",
            )
        self.config = config
        ports = {"left": config.left_arm_config, "right": config.right_arm_config}
        self._arms = {
            side: ExoskeletonArm(
                side,
                port,
                calibration_path(
                    "teleoperators", self.name, f"{config.id}_{side}" if config.id else side, config.calibration_dir
                ),
            )
            for side, port in ports.items()
        }

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Angles of the exoskeleton's joints, such as `left_elbow_flex.pos`, and the sticks: `remote.lx`, ..."""
        angles = {f"{side}_{name}.pos": ANGLE for side in self._arms for name in SENSORS}
        return {**angles, **dict.fromkeys(AXES, AXIS)}

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """There is nothing to feel."""
        return {}

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, calibrate: bool = True) -> None:
        """See `Calibratable.connect`; the sticks are taken to be at rest."""
        with self._connecting():
            for arm in self._arms.values():
                if calibrate:
                    arm.require_readable()
                arm.open()
            if calibrate and not self.is_calibrated:
                self._calibrate_or_say_how()
            self.configure()

    def _calibrate_or_say_how(self) -> None:
        try:
            self.calibrate()
        except EOFError as error:
            raise CalibrationError(
                f"{self} is not calibrated, and nobody is at the terminal to do it.",
                device=str(self),
                hint=RECALIBRATE,
            ) from error

    def configure(self) -> None:
        """There is nothing to configure."""

    def _close(self) -> None:
        with ExitStack() as stack:  # both, whatever the first one says
            for arm in self._arms.values():
                stack.callback(arm.close)

    # --- calibration -------------------------------------------------------------------------------------------------

    @property
    def is_calibrated(self) -> bool:
        """Whether both arms are."""
        return all(arm.fits for arm in self._arms.values())

    @property
    def calibration_asks(self) -> bool:
        """See `AsksToCalibrate`."""
        return True

    def calibrate(self) -> None:
        """Calibrate both arms, joint by joint.

        Raises:
            CalibrationError: a joint was not turned far enough; nothing was saved of its arm.
        """
        for arm in self._arms.values():
            arm.calibrate(self.prompter)

    # --- commands ----------------------------------------------------------------------------------------------------

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`.

        Raises:
            CalibrationError: there is no calibration.
            DeviceTimeoutError: the newest line of an arm is older than half a second.
            DeviceConnectionError: a port was lost.
        """
        self.require_connected()
        action: Action = {}
        sticks: list[float] = []
        for side, arm in self._arms.items():
            line = arm.read()
            action |= {f"{side}_{name}.pos": angle for name, angle in arm.angles(line).items()}
            sticks += arm.stick(line)
        return {**action, **dict(zip(AXES, sticks, strict=True))}

    def send_feedback(self, feedback: dict[str, Any]) -> None:  # noqa: ARG002 - part of the protocol
        """See `Teleoperator.send_feedback`; nothing is felt."""
        self.require_connected()

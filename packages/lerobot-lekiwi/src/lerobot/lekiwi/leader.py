"""A leader arm and a keyboard that lead a LeKiwi together."""

import logging
from typing import Any

from lerobot.core.device import DeviceBase
from lerobot.core.errors import FeatureMismatchError
from lerobot.core.prompts import Prompter
from lerobot.core.protocols import Teleoperator
from lerobot.core.protocols.ability import AsksToCalibrate
from lerobot.core.types import Action, FeatureSpec, as_features
from lerobot.lekiwi.config import LeKiwiLeaderConfig
from lerobot.lekiwi.keys import ARM_JOINTS, BASE_FEATURES, SPEED_LEVELS

log = logging.getLogger(__name__)

PREFIX = "arm_"
ARM_KEYS = [f"{joint}.pos" for joint in ARM_JOINTS]


class LeKiwiLeader(DeviceBase):
    """Positions of a leader arm, and velocities of the base from keys that are held.

    Args:
        config: see `LeKiwiLeaderConfig`.
        prompter: who answers the questions of arm and keyboard; the terminal if None.

    Attributes:
        level: place of the present speed in `SPEED_LEVELS`.

    Raises:
        FeatureMismatchError: the arm has other joints, or what shall be the keyboard has no such keys.
    """

    name = "lekiwi_leader"

    def __init__(self, config: LeKiwiLeaderConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        # The leader is its arm with keys beside it, so the arm's calibration has the leader's name.
        own = {
            "id": config.arm.id or config.id,
            "calibration_dir": config.arm.calibration_dir or config.calibration_dir,
        }
        self._arm: Teleoperator = config.arm.model_copy(update=own).build(prompter=self.prompter)
        self._keyboard: Teleoperator = config.keyboard.build()
        self._keys = config.keys
        self.level = 0
        self._changing: set[str] = set()
        _require(self._arm, {key.removeprefix(PREFIX) for key in ARM_KEYS})
        _require(self._keyboard, set(self._keys.model_dump().values()))

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joints as the leader arm has them, `arm_<joint>.pos`, and the velocity of the body."""
        arm = as_features(self._arm.action_features)
        return {**{key: arm[key.removeprefix(PREFIX)] for key in ARM_KEYS}, **BASE_FEATURES}

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """Joints that the leader arm can be moved to."""
        return {f"{PREFIX}{key}": spec for key, spec in as_features(self._arm.feedback_features).items()}

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, calibrate: bool = True) -> None:
        """See `Calibratable.connect`."""
        with self._connecting():
            self._arm.connect(calibrate=calibrate)
            self._keyboard.connect(calibrate=calibrate)
            self.level, self._changing = 0, set()

    @property
    def is_calibrated(self) -> bool:
        """Whether the leader arm is."""
        return self._arm.is_calibrated

    @property
    def calibration_asks(self) -> bool:
        """See `AsksToCalibrate`."""
        return isinstance(self._arm, AsksToCalibrate) and self._arm.calibration_asks

    def calibrate(self) -> None:
        """Calibrate the leader arm."""
        self._arm.calibrate()

    def configure(self) -> None:
        """Configure the leader arm."""
        self._arm.configure()

    def _close(self) -> None:
        try:
            self._keyboard.disconnect()
        finally:
            self._arm.disconnect()

    # --- commanding --------------------------------------------------------------------------------------------------

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`; keys against each other cancel out."""
        self.require_connected()
        arm = self._arm.get_action()
        held = {key for key, is_held in self._keyboard.get_action().items() if is_held}
        self._change_level(held)
        metres, degrees = SPEED_LEVELS[self.level]
        keys = self._keys

        def direction(plus: str, minus: str) -> int:
            return (plus in held) - (minus in held)

        return {
            **{key: arm[key.removeprefix(PREFIX)] for key in ARM_KEYS},
            "x.vel": metres * direction(keys.forward, keys.backward),
            "y.vel": metres * direction(keys.left, keys.right),
            "theta.vel": degrees * direction(keys.rotate_left, keys.rotate_right),
        }

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """See `Teleoperator.send_feedback`; what is not for the arm is left out."""
        self.require_connected()
        arm = {key.removeprefix(PREFIX): value for key, value in feedback.items() if key.startswith(PREFIX)}
        self._arm.send_feedback(arm)

    def _change_level(self, held: set[str]) -> None:
        """Go to the next level once per press, however long a key is held."""
        changing = held & {self._keys.speed_up, self._keys.speed_down}
        for key in changing - self._changing:
            step = 1 if key == self._keys.speed_up else -1
            self.level = min(max(self.level + step, 0), len(SPEED_LEVELS) - 1)
            log.info("speed level %d: %g m/s, %g degrees/s", self.level + 1, *SPEED_LEVELS[self.level])
        self._changing = changing


def _require(teleoperator: Teleoperator, keys: set[str]) -> None:
    if missing := sorted(keys - teleoperator.action_features.keys()):
        raise FeatureMismatchError(
            f"{teleoperator} gives no {', '.join(missing)}, which a LeKiwi is led with",
            keys=missing,
            expected=f"some of {', '.join(teleoperator.action_features)}",
        )

"""An arm of CAN motors that is moved by hand and read."""

import math

from lerobot.can.arms.arm import CanArm
from lerobot.can.bus import CanMotorsBus
from lerobot.core.prompts import Prompter
from lerobot.core.types import FeatureSpec
from lerobot.motors.arms.config import LeaderConfig
from lerobot.motors.arms.leader import LeaderArm


class CanLeader(CanArm, LeaderArm):
    """An arm of CAN motors that is moved by hand and read; see `LeaderArm`.

    Args:
        config: see `LeaderConfig`.
        bus: the motors, not connected.
        holds: whether it keeps torque and holds its pose, instead of being moved by hand.
        tells_velocity_and_torque: see `CanArm`.
        prompter: who answers questions; the terminal if None.
    """

    def __init__(
        self,
        config: LeaderConfig,
        bus: CanMotorsBus,
        *,
        holds: bool = False,
        tells_velocity_and_torque: bool = False,
        prompter: Prompter | None = None,
    ) -> None:
        ends = {name: math.degrees(bus.model(name).position) for name in bus.motors}
        self.limits = {name: (-end, end) for name, end in ends.items()}
        self.tells_velocity_and_torque = tells_velocity_and_torque
        self._holds = holds
        super().__init__(config, bus, prompter=prompter)

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """See `LeaderArm.feedback_features`."""
        return {key: spec for key, spec in self.joint_features.items() if key.endswith(".pos")}

    def _start(self) -> None:
        super()._start()
        if self._holds:
            self.bus.enable_torque()

    def _write_settings(self) -> None:
        self.bus.configure_motors()

    def _travel(self, name: str) -> tuple[int, int]:  # noqa: ARG002 (the same for every joint)
        """A quarter turn each way, as huggingface/lerobot writes."""
        return -90, 90

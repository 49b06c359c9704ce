"""OpenArm mini: a small leader of servos, whose joints are mapped to those of an OpenArm."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec
from lerobot.feetech import FeetechMotorsBus
from lerobot.motors.arms.servo_arm import ServoLeader
from lerobot.motors.arms.table import ArmTable, Joint
from lerobot.motors.motor import MotorCalibration
from lerobot.openarm.config import OpenArmMiniConfig

SPEED_DEG_S = 300.0
"""No-load speed of an STS3215 at 7.4 V, rounded: 50 turns a minute (Feetech, STS3215 datasheet)."""

POSITION = {"Operating_Mode": 0}
CALIBRATION = {"Phase": 12, "Operating_Mode": 0}

TABLE = ArmTable(
    FeetechMotorsBus,
    {
        **{
            f"joint_{i}": Joint(i, "sts3215", SPEED_DEG_S, settings=POSITION, calibration_settings=CALIBRATION)
            for i in range(1, 8)
        },
        "gripper": Joint(
            8, "sts3215", SPEED_DEG_S, is_gripper=True, settings=POSITION, calibration_settings=CALIBRATION
        ),
    },
)

REVERSED: Mapping[str | None, frozenset[str]] = MappingProxyType(
    {
        None: frozenset(),
        "left": frozenset(f"joint_{i}" for i in (1, 3, 4, 5, 6, 7)),
        "right": frozenset(f"joint_{i}" for i in (1, 2, 3, 4, 5, 7)),
    }
)
"""Joints of the mini that count the other way round, by side."""

EXCHANGED: Mapping[str, str] = MappingProxyType({"joint_6": "joint_7", "joint_7": "joint_6"})
"""Joints of the mini that move another joint of the follower."""

GRIPPER_DEG = -0.65
"""Degrees of the follower's gripper per percent of the mini's."""


class OpenArmMini(ServoLeader):
    """An OpenArm mini; its actions are joints of an OpenArm, in degrees.

    Args:
        config: its port, id and side.
        prompter: who answers questions; the terminal if None.
    """

    name = "openarm_mini"
    table = TABLE

    def __init__(self, config: OpenArmMiniConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config, prompter=prompter)
        self._reversed = REVERSED[config.side]

    # --- joints of the follower --------------------------------------------------------------------------------------

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joints of an OpenArm, `<joint>.pos`, in degrees."""
        features = {}
        for key, spec in self.joint_features.items():
            joint = key.removesuffix(".pos")
            if joint == "gripper":
                speed = None if spec.max_velocity is None else spec.max_velocity * -GRIPPER_DEG
                spec = FeatureSpec(unit="deg", range=(100 * GRIPPER_DEG, 0.0), max_velocity=speed)
            features[f"{EXCHANGED.get(joint, joint)}.pos"] = spec
        return {key: features[key] for key in self.joint_features}

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """Joints of an OpenArm that the mini moves to while its torque is on."""
        return self.action_features

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`."""
        own = super().get_action()
        action = {}
        for key, value in own.items():
            joint = key.removesuffix(".pos")
            action[f"{EXCHANGED.get(joint, joint)}.pos"] = value * self._factor(joint)
        return {key: action[key] for key in own}

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """See `Teleoperator.send_feedback`."""
        own = {}
        for key, value in feedback.items():
            other = key.removesuffix(".pos")
            joint = EXCHANGED.get(other, other)
            own[f"{joint}.pos"] = value / self._factor(joint)
        super().send_feedback(own)

    def _factor(self, joint: str) -> float:
        """What a joint of the mini is multiplied with."""
        if joint == "gripper":
            return GRIPPER_DEG
        return -1.0 if joint in self._reversed else 1.0

    # --- calibration -------------------------------------------------------------------------------------------------

    def _sweep(self) -> dict[str, MotorCalibration]:
        """Home every joint in the zero pose, and take the ends of the gripper; nothing else is swept."""
        self.bus.configure_motors()
        arm = f"{self.id} {type(self).__name__}"
        self.prompter.ask(f"Move {arm} to its zero pose (hanging straight down, gripper closed) and press ENTER....")
        offsets = self.bus.set_half_turn_homings()
        closed = self._gripper_at("CLOSED")
        opened = self._gripper_at("OPEN")
        largest = self.bus.model_resolution_table["sts3215"] - 1
        calibration = {
            name: MotorCalibration(joint.motor_id, 0, offsets[name], 0, largest) for name, joint in TABLE.joints.items()
        }
        gripper = TABLE.joints["gripper"].motor_id
        calibration["gripper"] = MotorCalibration(
            gripper, int(closed > opened), offsets["gripper"], min(closed, opened), max(closed, opened)
        )
        self._write_calibration(calibration)
        return calibration

    def _gripper_at(self, end: str) -> int:
        self.prompter.ask(f"Move the gripper to its {end} end and press ENTER....")
        return int(self.bus.read("Present_Position", "gripper", normalize=False))

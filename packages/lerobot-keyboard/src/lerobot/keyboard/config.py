"""Configurations of the keyboard teleoperators, and of the step that moves joints with keys."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from lerobot.core.config.base import ProcessorStepConfig, TeleoperatorConfig, Unit
from lerobot.core.terminal import KEYS


class KeyboardConfig(TeleoperatorConfig):
    """The keys that are held, one value per key."""

    target = "lerobot.keyboard.teleoperator:KeyboardTeleoperator"

    type: str = "keyboard"
    backend: Literal["auto", "terminal", "pynput"] = Field(
        default="auto",
        description="Where keys come from: this terminal, or the whole desktop through pynput; auto takes the desktop "
        "where pynput is installed and there is a display, and never over SSH.",
    )
    hold_s: Annotated[float, Unit("s")] = Field(
        default=0.5,
        gt=0,
        description="Terminal only: how long a key counts as held after its first press, to bridge the time until the "
        "keyboard repeats it.",
    )
    repeat_s: Annotated[float, Unit("s")] = Field(
        default=0.15, gt=0, description="Terminal only: how long a key counts as held after a repetition."
    )


class KeyboardEEConfig(KeyboardConfig):
    """Arrow keys and modifiers move an end effector."""

    target = "lerobot.keyboard.end_effector:KeyboardEndEffector"

    type: str = "keyboard_ee"
    use_gripper: bool = Field(default=True, description="Whether an action has a gripper.")


class KeyboardRoverConfig(KeyboardConfig):
    """W, A, S, D, Q, E drive a mobile robot.

    Speeds are in the robot's own units: m/s and rad/s, or shares of full speed.
    """

    target = "lerobot.keyboard.rover:KeyboardRover"

    type: str = "keyboard_rover"
    linear_speed: float = Field(default=1.0, gt=0, description="Speed at the start.")
    angular_speed: float = Field(default=1.0, gt=0, description="Turning speed at the start.")
    speed_increment: float = Field(default=0.1, ge=0, description="Change of the speed with each + or -.")
    turn_assist_ratio: float = Field(
        default=0.3, ge=0, description="Part of the speed to drive forward while A or D turns alone."
    )
    angular_speed_ratio: float = Field(
        default=0.6, ge=0, description="Change of the turning speed as a part of speed_increment."
    )
    min_linear_speed: float = Field(default=0.1, ge=0, description="Lowest speed.")
    min_angular_speed: float = Field(default=0.05, ge=0, description="Lowest turning speed.")


class KeysToJointsConfig(ProcessorStepConfig):
    """Moves joints with the keys that are held: two keys per joint."""

    target: ClassVar[str] = "lerobot.keyboard.joints:KeysToJoints"

    type: str = "keys_to_joints"
    keys: dict[str, tuple[str, str]] = Field(
        default={
            "shoulder_pan": ("1", "2"),
            "shoulder_lift": ("3", "4"),
            "elbow_flex": ("5", "6"),
            "wrist_flex": ("7", "8"),
            "wrist_roll": ("9", "0"),
            "gripper": ("c", "o"),
        },
        min_length=1,
        description="Keys toward minus and plus of each motor's <name>.pos.",
    )
    step: float = Field(default=1.0, gt=0, description="Way of a joint per tick, in its unit.")
    lead: float = Field(
        default=10.0, gt=0, description="Farthest a target is from the measured position, in the joint's unit."
    )

    @field_validator("keys")
    @classmethod
    def _keys_exist_once(cls, keys: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
        used = [key for pair in keys.values() for key in pair]
        if unknown := [key for key in used if key not in KEYS]:
            raise ValueError(f"names of keys, such as 'a', '1' or 'page_up'; {unknown[0]!r} is none")
        if twice := [key for key in used if used.count(key) > 1]:
            raise ValueError(f"each key once; {twice[0]!r} is there twice")
        return keys

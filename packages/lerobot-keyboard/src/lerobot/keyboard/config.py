"""Configurations of the keyboard teleoperators."""

from typing import Annotated, Literal

from pydantic import Field

from lerobot.core.config.base import TeleoperatorConfig, Unit


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
    """W, A, S, D, Q, E drive a mobile robot."""

    target = "lerobot.keyboard.rover:KeyboardRover"

    type: str = "keyboard_rover"
    linear_speed: Annotated[float, Unit("m/s")] = Field(default=1.0, gt=0, description="Speed at the start.")
    angular_speed: Annotated[float, Unit("rad/s")] = Field(default=1.0, gt=0, description="Turning speed at the start.")
    speed_increment: Annotated[float, Unit("m/s")] = Field(
        default=0.1, ge=0, description="Change of the speed with each + or -."
    )
    turn_assist_ratio: float = Field(
        default=0.3, ge=0, description="Part of the speed to drive forward while A or D turns alone."
    )
    angular_speed_ratio: float = Field(
        default=0.6, ge=0, description="Change of the turning speed as a part of speed_increment."
    )
    min_linear_speed: Annotated[float, Unit("m/s")] = Field(default=0.1, ge=0, description="Lowest speed.")
    min_angular_speed: Annotated[float, Unit("rad/s")] = Field(default=0.05, ge=0, description="Lowest turning speed.")

"""Configuration of the gamepad."""

from typing import Literal

from pydantic import Field

from lerobot.core.config.base import ConfigModel, TeleoperatorConfig


class GamepadAxes(ConfigModel):
    """Which axis of the pad moves what; pads and systems number them differently."""

    x: int = Field(default=1, ge=0, description="Axis of delta_x: left stick, up and down.")
    y: int = Field(default=0, ge=0, description="Axis of delta_y: left stick, left and right.")
    z: int = Field(default=3, ge=0, description="Axis of delta_z: right stick, up and down.")
    inverted: list[Literal["x", "y", "z"]] = Field(
        default=["x", "y", "z"], description="Axes whose sign is changed; up and left are negative on most pads."
    )


class GamepadButtons(ConfigModel):
    """Which button of the pad means what."""

    rerecord: int = Field(default=0, ge=0, description="End the episode and record it again.")
    failure: int = Field(default=1, ge=0, description="End the episode as a failure.")
    success: int = Field(default=3, ge=0, description="The episode succeeded.")
    intervention: int = Field(default=5, ge=0, description="Held: the person is in command.")
    close_gripper: int = Field(default=6, ge=0, description="Held: close the gripper.")
    open_gripper: int = Field(default=7, ge=0, description="Held: open the gripper.")


class GamepadConfig(TeleoperatorConfig):
    """A gamepad that moves an end effector."""

    target = "lerobot.gamepad.teleoperator:GamepadTeleoperator"

    type: str = "gamepad"
    use_gripper: bool = Field(default=True, description="Whether an action has a gripper.")
    hidapi_fallback: bool = Field(
        default=False, description="Read the pad through HIDAPI where the system's own driver gives nothing (macOS)."
    )
    index: int = Field(default=0, ge=0, description="Which of several pads, from 0.")
    deadzone: float = Field(default=0.1, ge=0, lt=1, description="Smaller deflections of a stick count as none.")
    axes: GamepadAxes = Field(default_factory=GamepadAxes, description="Axes of the pad.")
    buttons: GamepadButtons = Field(default_factory=GamepadButtons, description="Buttons of the pad.")

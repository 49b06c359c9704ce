"""Configurations of the browser as a teleoperator, and of the step that makes commands of what it says."""

import math
from typing import ClassVar, Self

from pydantic import Field, field_validator, model_validator

from lerobot.core.config.base import ProcessorStepConfig, TeleoperatorConfig


class BrowserConfig(TeleoperatorConfig):
    """Keys, a gamepad, buttons or a touch pad of a page of `lerobot studio`."""

    target = "lerobot.studio.inside.teleoperator:BrowserTeleoperator"

    type: str = "browser"
    keys: tuple[str, ...] = Field(
        min_length=1, max_length=64, description="What the page moves: keys of the robot's command."
    )
    max_age_s: float = Field(default=0.3, gt=0, description="What the page said longer ago moves nothing, seconds.")

    @field_validator("keys")
    @classmethod
    def _once(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise ValueError(f"each key once; {twice[0]!r} is there twice")
        return keys


class JogToJointsConfig(ProcessorStepConfig):
    """Makes targets of how fast a page wants joints to move."""

    target: ClassVar[str] = "lerobot.studio.inside.jog:JogToJoints"

    type: str = "jog_to_joints"
    positions: dict[str, tuple[float, float]] = Field(
        default_factory=dict, description="Lowest and highest value by key of a position, in the robot's unit."
    )
    velocities: dict[str, float] = Field(
        default_factory=dict, description="Highest value by key of a command that is a velocity, in the robot's unit."
    )
    speed: float = Field(default=0.25, gt=0, le=2, description="Share of a position's range per second at full jog.")
    lead: float = Field(
        default=0.1, gt=0, le=1, description="Farthest a target is from the measured position, as a share of its range."
    )

    @model_validator(mode="after")
    def _moves_something(self) -> Self:
        if not self.positions and not self.velocities:
            raise ValueError("at least one key in positions or velocities")
        for key, (low, high) in self.positions.items():
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise ValueError(f"positions.{key}: [low, high] with low < high")
        for key, top in self.velocities.items():
            if not 0 < top < math.inf:
                raise ValueError(f"velocities.{key}: a positive number")
        if both := sorted(self.positions.keys() & self.velocities.keys()):
            raise ValueError(f"{both[0]}: either a position or a velocity")
        return self

"""What a user may set about safety: part of every command that moves a robot."""

from typing import Annotated

from pydantic import Field

from lerobot.core.config.base import ConfigModel

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
PerJoint = Positive | dict[str, Positive]


class SafetyConfig(ConfigModel):
    """Limits of the safety gate, tighter than what the robot declares.

    A joint is named by its key (`shoulder_pan.pos`) or without its ending (`shoulder_pan`). A plain number holds for
    every position, each in its own unit; commands that are velocities are set by name only, because one number cannot
    fit metres and degrees.
    """

    enabled: bool = Field(
        default=True, description="Off only for experts: then no limit, no ramp and no freshness check is applied."
    )
    max_velocity: PerJoint | None = Field(
        default=None, description="Fastest motion in the joint's unit per second: a number, or one per joint."
    )
    max_step: PerJoint | None = Field(
        default=None, description="Largest change between two commands in the joint's unit: a number, or one per joint."
    )
    max_acceleration: dict[str, Positive] = Field(
        default_factory=dict, description="Fastest change of commands that are velocities, in their unit per second."
    )
    position_limits: dict[str, tuple[float, float]] = Field(
        default_factory=dict, description="Allowed range per joint, inside the range the robot declares."
    )
    ramp_s: float = Field(
        default=2.0, ge=0, description="Seconds over which the robot goes from where it is to what is commanded."
    )
    max_command_age_s: float = Field(
        default=0.5, gt=0, description="An older command is not followed: the robot holds."
    )
    max_state_age_s: float = Field(default=0.5, gt=0, description="On an older measurement the robot holds.")
    stop_after_s: float = Field(
        default=2.0,
        gt=0,
        description="The run ends when a joint got no usable command, or a camera no new picture, for so many seconds.",
    )

"""Flags of every command in which a teleoperator drives a robot."""

from pydantic import Field

from lerobot.core.config.base import ConfigModel, ProcessorStepConfig


class TeleoperationProcessorsConfig(ConfigModel):
    """Steps between teleoperator and robot, a list such as '[{type: NAME, ...}]'."""

    teleop: tuple[ProcessorStepConfig, ...] = Field(
        default=(), description="From what the teleoperator commands to what the robot takes."
    )

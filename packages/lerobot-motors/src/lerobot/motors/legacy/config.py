"""Configuration of the step that converts positions of old recordings."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import ProcessorStepConfig


class LegacyPositionsConfig(ProcessorStepConfig):
    """Converts a robot action recorded with the calibration of lerobot 0.3 or older to the units of today."""

    target: ClassVar[str] = "lerobot.motors.legacy.step:LegacyPositionsProcessorStep"

    type: str = "legacy_positions_processor"
    legacy_calibration: Path = Field(description="Calibration file the recording was made with.")
    calibration: Path = Field(description="Calibration file of the same arm today.")
    use_degrees: bool = Field(default=True, description="Whether the arm is used in degrees; its gripper never is.")
    motors: Literal["feetech", "dynamixel"] = Field(default="feetech", description="Make of the arm's motors.")
    resolution: int = Field(default=4096, ge=2, description="Encoder steps of a full turn.")

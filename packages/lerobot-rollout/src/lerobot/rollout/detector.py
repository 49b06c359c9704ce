"""Detectors of success that are here: their configurations. Light."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from lerobot.core.config.judges import SuccessDetectorConfig

__all__ = ["SceneDetectorConfig", "SuccessDetectorConfig", "ThresholdDetectorConfig"]


class SceneDetectorConfig(SuccessDetectorConfig):
    """The robot's own scene, where it is simulated and knows its task."""

    target: ClassVar[str] = "lerobot.rollout.detectors.scene:SceneDetector"

    type: str = "scene"


class ThresholdDetectorConfig(SuccessDetectorConfig):
    """One measured number that is large or small enough for long enough, such as a gripper's or a scale's."""

    target: ClassVar[str] = "lerobot.rollout.detectors.threshold:ThresholdDetector"

    type: str = "threshold"
    feature: str = Field(description="Name of the number in the robot's observation, such as gripper.pos.")
    above: float | None = Field(default=None, description="Solved from this value on, in the number's unit.")
    below: float | None = Field(default=None, description="Solved up to this value, in the number's unit.")
    hold_s: float = Field(default=0.0, ge=0, description="Seconds for which it has to stay so.")

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("a bound: --detector.above=NUMBER, --detector.below=NUMBER or both")
        if self.above is not None and self.below is not None and self.above > self.below:
            raise ValueError(f"above <= below, not {self.above:g} and {self.below:g}: no number is both")
        return self

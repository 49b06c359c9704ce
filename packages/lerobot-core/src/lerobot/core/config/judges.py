"""Who judges what a robot does, in place of a person: the choices of reward models and success detectors."""

from typing import ClassVar

from pydantic import Field

from lerobot.core.config.base import PluginConfig


class RewardModelConfig(PluginConfig):
    """Choice of a reward model, such as a classifier that looks at a camera, and the field every one has.

    `target` is built with the configuration alone and is a `lerobot.core.protocols.RewardModel`.
    """

    kind: ClassVar[str] = "reward_model"

    success_from: float = Field(default=0.5, description="Reward from which on a frame shows the task solved.")


class SuccessDetectorConfig(PluginConfig):
    """Choice of a detector: `--detector.type=threshold`.

    `target` is built with the configuration and `robot`, which need not be connected, and is a
    `lerobot.core.protocols.SuccessDetector`. It raises a `FeatureMismatchError` for a robot that lacks what it needs.
    """

    kind: ClassVar[str] = "success_detector"

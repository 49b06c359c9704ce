"""When the policy predicts, and who waits for it: the configurations of `--inference`. Light."""

from typing import Literal

from pydantic import Field

from lerobot.core.config.base import ConfigModel
from lerobot.core.config.rtc import RTCConfig


class SyncInference(ConfigModel):
    """The control loop waits for the policy."""

    type: Literal["sync"] = "sync"


class AsyncInference(ConfigModel):
    """The policy predicts while the robot executes what was planned; where chunks overlap they are joined."""

    type: Literal["async"] = "async"
    chunk_size_threshold: float = Field(
        default=0.5, ge=0, lt=1, description="Predict when so much of a chunk is left, or less; 0: nothing."
    )
    aggregate_fn_name: Literal["weighted_average", "latest_only", "average", "conservative"] = Field(
        default="weighted_average",
        description="Where two chunks plan for one moment: 0.7, all, 0.5 or 0.3 of the newer one.",
    )
    actions_per_chunk: int | None = Field(default=None, gt=0, description="Use so many actions of a chunk; null: all.")
    least_motion: float = Field(
        default=0.0,
        ge=0,
        description="Do not predict again before the state has changed by so much, in the robot's units, unless "
        "nothing is planned; 0: predict anyway.",
    )


class RTCInference(ConfigModel):
    """As async, and each chunk continues the one that is being executed: real-time chunking."""

    type: Literal["rtc"] = "rtc"
    rtc: RTCConfig = Field(default_factory=RTCConfig, description="How a chunk continues the one before.")
    queue_threshold: int = Field(
        default=30, ge=0, description="Predict when so many planned actions are left, or fewer."
    )


InferenceConfig = SyncInference | AsyncInference | RTCInference
"""Choice: `--inference.type=async`."""

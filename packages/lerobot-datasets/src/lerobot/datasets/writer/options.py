"""How a dataset is written, apart from what is in it."""

from pydantic import BaseModel, ConfigDict, Field

from lerobot.datasets.video.encoder_config import DepthEncoderConfig, RGBEncoderConfig


class WritingOptions(BaseModel):
    """Settings of a recording; light enough for a command's configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rgb_encoder: RGBEncoderConfig = Field(default_factory=RGBEncoderConfig, description="encoder of colour cameras")
    depth_encoder: DepthEncoderConfig = Field(
        default_factory=DepthEncoderConfig, description="encoder of depth cameras stored as video"
    )
    encoder_queue_maxsize: int = Field(
        30, ge=1, description="images a camera's encoder may be behind before the loop waits for it"
    )
    encoder_threads: int = Field(1, ge=1, description="threads of each camera's encoder")

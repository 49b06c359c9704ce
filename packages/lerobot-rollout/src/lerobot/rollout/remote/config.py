"""Configuration of policies behind the wire."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import PathText
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import PolicyFeatures, split
from lerobot.remote.served import ServedPolicyConfig
from lerobot.remote.wire.config import ConnectOptions


class ServedCheckpointConfig(ServedPolicyConfig):
    """A trained policy, served from its checkpoint."""

    target = "lerobot.rollout.remote.served:ServedCheckpoint"

    type: str = "checkpoint"
    checkpoint: PathText = Field(description="Folder or Hub repository; also --policy.path.")
    revision: str | None = Field(default=None, description="Branch, tag or commit of the repository.")
    device: str | None = Field(default=None, description="Device of the policy; null: the one it was saved with.")
    task: str = Field(default="", description="What to do, in words, where a client does not say.")
    rename_map: dict[str, str] = Field(
        default={}, description="The policy's observation keys by those that clients send."
    )


class RemotePolicyConfig(ConnectOptions, PreTrainedConfig):
    """A policy that is served elsewhere, by our server or one of openpi."""

    target = "lerobot.rollout.remote.policy:RemotePolicy"
    processors: ClassVar[str] = "lerobot.rollout.remote.policy:remote_processors"

    type: str = "remote"
    layout: Literal["lerobot", "droid", "libero", "aloha"] = Field(
        default="lerobot", description="Keys of observations: those of the served policy, or openpi's for a robot."
    )
    cameras: dict[str, str] = Field(
        default={}, description="The server's picture keys by camera: {front: observation/image}; else the same names."
    )
    n_action_steps: int | None = Field(
        default=None, ge=1, description="Actions executed per answer; null: as the server says, or all of them."
    )
    reply_timeout_s: float = Field(
        default=5.0, gt=0, description="Seconds from an observation to its actions; later ones are not executed."
    )
    first_reply_timeout_s: float = Field(
        default=300.0, gt=0, description="The same for the first question, at which some servers compile."
    )
    image_format: Literal["jpeg", "png", "raw"] = Field(
        default="jpeg", description="How pictures are sent to servers of ours; png and raw are exact."
    )
    image_quality: int = Field(default=90, ge=1, le=95, description="Quality of JPEG.")

    @property
    def is_trained(self) -> bool:
        """Always, where it is served."""
        return True

    @property
    def executed_steps(self) -> int:
        """Actions executed of an answer; 1 as long as only the server knows."""
        return self.n_action_steps or 1

    def with_features(self, provided: PolicyFeatures) -> Self:
        """Take everything there is; what the server needs of it is checked when it is reached."""
        inputs, outputs = split(provided)
        return self.model_copy(update={"input_features": inputs, "output_features": outputs})

    @model_validator(mode="after")
    def _cameras_have_a_layout(self) -> Self:
        if self.pretrained_path is not None:
            raise PydanticCustomError("remote_path", "an address: the server has the weights")
        return self

"""Configuration of a policy behind the wire."""

from typing import Literal

from pydantic import Field

from lerobot.core.config.base import PolicyConfig
from lerobot.core.deprecation import moved_names
from lerobot.remote.wire.config import ConnectOptions

__getattr__ = moved_names(__name__, {"ServedCheckpointConfig": "lerobot.policies.served.config"})


class RemotePolicyConfig(ConnectOptions, PolicyConfig):
    """A policy that is served elsewhere, by our server or one of openpi."""

    target = "lerobot.rollout.remote.policy:RemotePolicy"

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
    def origin(self) -> str:
        """See `PolicyConfig.origin`."""
        return self.address

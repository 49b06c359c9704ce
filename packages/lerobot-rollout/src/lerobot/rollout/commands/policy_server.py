"""Configuration of `policy_server`, as huggingface/lerobot calls a policy that is served."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import CommandConfig, NoEffect
from lerobot.core.config.policies import ServedPolicyConfig
from lerobot.remote.wire.config import ListenOptions

PORT = 8080
"""Port of huggingface/lerobot's server, and where its client looks for it."""
NO_WAIT = "Accepted; an answer is sent when it is there."


class PolicyServerConfig(ListenOptions, CommandConfig):
    """An earlier name of `lerobot serve --policy.path=...`.

    There the client says which policy the server loads; here the server does, and the client is told.
    """

    target: ClassVar[str] = "lerobot.rollout.command:policy_server"

    port: int = Field(default=PORT, ge=0, le=65535, description="Port to listen on; 0: any that is free.")
    policy: ServedPolicyConfig | None = Field(
        default=None, description="Policy to serve: --policy.path=FOLDER or a Hub repository."
    )
    fps: Annotated[float, NoEffect()] = Field(default=30.0, description=NO_WAIT)
    inference_latency: Annotated[float, NoEffect()] = Field(default=0.0, description=NO_WAIT)
    obs_queue_timeout: Annotated[float, NoEffect()] = Field(default=2.0, description=NO_WAIT)

    @model_validator(mode="after")
    def _policy_is_named(self) -> Self:
        if self.policy is None:
            raise PydanticCustomError(
                "policy_server", "--policy.path=FOLDER: the server says which policy it serves, not its client"
            )
        return self

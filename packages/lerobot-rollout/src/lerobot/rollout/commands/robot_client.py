"""Configuration of `robot_client`, as huggingface/lerobot calls a robot that a served policy drives."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from lerobot.core.config.base import NoEffect
from lerobot.rollout.commands.policy_server import PORT
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.rollout.inference import AsyncInference
from lerobot.rollout.remote.config import RemotePolicyConfig

SERVED = "Accepted; the server says which policy it serves and where it computes: lerobot serve --policy.path=..."


class RobotClientConfig(RolloutConfig):
    """Earlier name of `lerobot rollout --policy.type=remote --inference.type=async`."""

    target: ClassVar[str] = "lerobot.rollout.command:robot_client"
    examples: ClassVar[tuple[str, ...]] = ()
    earlier_flags: ClassVar[Mapping[str, str]] = {
        **RolloutConfig.earlier_flags,
        "server_address": "policy.address",
        "actions_per_chunk": "inference.actions_per_chunk",
        "chunk_size_threshold": "inference.chunk_size_threshold",
        "aggregate_fn_name": "inference.aggregate_fn_name",
    }
    refused_flags: ClassVar[Mapping[str, str]] = {
        **RolloutConfig.refused_flags,
        "debug_visualize_queue_size": "no such flag: the report at the end says how often nothing was planned",
    }

    policy: RemotePolicyConfig = Field(
        default_factory=lambda: RemotePolicyConfig(address=f"localhost:{PORT}"), description="Where the policy is."
    )
    inference: AsyncInference = Field(
        default_factory=AsyncInference, description="When the policy predicts, and how chunks are joined."
    )
    policy_type: Annotated[str, NoEffect()] = Field(default="", description=SERVED)
    pretrained_name_or_path: Annotated[str, NoEffect()] = Field(default="", description=SERVED)
    policy_device: Annotated[str, NoEffect()] = Field(default="cpu", description=SERVED)
    client_device: Annotated[str, NoEffect()] = Field(default="cpu", description=SERVED)

"""Configuration of a policy that is served. Light."""

from pydantic import Field

from lerobot.core.config.base import PathText
from lerobot.core.config.policies import ServedPolicyConfig


class ServedCheckpointConfig(ServedPolicyConfig):
    """A trained policy, served from its checkpoint."""

    target = "lerobot.policies.served.checkpoint:ServedCheckpoint"

    type: str = "checkpoint"
    checkpoint: PathText = Field(description="Folder or Hub repository; also --policy.path.")
    revision: str | None = Field(default=None, description="Branch, tag or commit of the repository.")
    device: str | None = Field(default=None, description="Device of the policy; null: the one it was saved with.")
    task: str = Field(default="", description="What to do, in words, where a client does not say.")
    rename_map: dict[str, str] = Field(
        default={}, description="The policy's observation keys by those that clients send."
    )

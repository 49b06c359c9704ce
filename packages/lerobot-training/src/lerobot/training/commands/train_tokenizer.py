"""Configuration of `lerobot train-tokenizer`."""

from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import CommandConfig
from lerobot.policies.features import NormalizationMode


class TrainTokenizerConfig(CommandConfig):
    """Fit a FAST tokenizer to the actions of a dataset, for policies that say their actions, such as pi0_fast.

    The policy must use the same horizon (its chunk_size) and the same normalization_mode for actions.
    """

    target: ClassVar[str] = "lerobot.training.tokenizer.command:train_tokenizer"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot train-tokenizer --repo_id=me/cubes --action_horizon=10 --output_dir=outputs/fast",
        "lerobot train --dataset.repo_id=me/cubes --policy.type=pi0_fast --policy.chunk_size=10 "
        "--policy.n_action_steps=10 --policy.action_tokenizer_name=outputs/fast",
    )

    repo_id: str = Field(description="Name of the dataset, 'owner/name'.")
    root: Path | None = Field(default=None, description="Its folder; default: under $HF_LEROBOT_HOME.")
    action_horizon: int = Field(default=10, gt=0, description="Actions of a chunk.")
    max_episodes: int | None = Field(default=None, gt=0, description="Use so many episodes; default: all.")
    sample_fraction: float = Field(default=0.1, gt=0, le=1, description="Part of the chunks of each episode.")
    encoded_dims: str | None = Field(
        default=None, description="Numbers of an action to encode, such as 0:6,7:23; default: all, as pi0_fast does."
    )
    relative_dims: str | None = Field(
        default=None, description="Numbers that are relative to the state, such as 0,1,2, with use_relative_transform."
    )
    use_relative_transform: bool = Field(default=False, description="Take actions relative to the present state.")
    state_key: str = Field(default="observation.state", description="The state that actions are relative to.")
    normalization_mode: NormalizationMode = Field(
        default=NormalizationMode.QUANTILES, description="How actions are scaled; as in the policy."
    )
    vocab_size: int = Field(default=1024, gt=0, description="Number of codes.")
    scale: float = Field(default=10.0, gt=0, description="Larger: more exact, and longer.")
    output_dir: Path | None = Field(default=None, description="Folder to write; default: fast_tokenizer_<repo_id>.")
    push_to_hub: bool = Field(default=False, description="Upload it.")
    hub_repo_id: str | None = Field(default=None, description="Hub repository, 'owner/name', to upload to.")
    hub_private: bool = Field(default=False, description="Make the repository private.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """What is only half said is refused."""
        if self.use_relative_transform and not self.relative_dims:
            raise PydanticCustomError("relative_dims", "relative_dims, because use_relative_transform is true")
        if self.relative_dims and not self.use_relative_transform:
            raise PydanticCustomError("relative", "use_relative_transform=true, because relative_dims is given")
        if self.push_to_hub and not self.hub_repo_id:
            raise PydanticCustomError("hub_repo_id", "hub_repo_id, because push_to_hub is true")
        return self

"""Configuration of soft actor-critic. Light: it imports no array library."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import NoEffect
from lerobot.hilserl.config import CriticNetworkConfig
from lerobot.rl.config import AlgorithmConfig


class SACConfig(AlgorithmConfig):
    """Soft actor-critic with an ensemble of critics, and one more for choices such as a gripper's."""

    target: ClassVar[str] = "lerobot.hilserl.sac:SAC"

    type: str = "sac"
    actor_lr: float = Field(default=3e-4, gt=0, description="Learning rate of the actor.")
    critic_lr: float = Field(default=3e-4, gt=0, description="Learning rate of the critics.")
    temperature_lr: float = Field(default=3e-4, gt=0, description="Learning rate of the temperature.")
    discount: float = Field(default=0.99, gt=0, le=1, description="Worth of a reward one step later.")
    use_backup_entropy: bool = Field(default=True, description="Count how freely one can act as worth something.")
    critic_target_update_weight: float = Field(
        default=0.005, gt=0, le=1, description="Share of the critics that their slow copies take on each time."
    )
    num_critics: int = Field(default=2, gt=0, description="Critics in the ensemble.")
    num_subsample_critics: int | None = Field(
        default=None, gt=0, description="So many of them, drawn each time, say what follows; null: all."
    )
    critic_network_kwargs: CriticNetworkConfig = Field(
        default_factory=CriticNetworkConfig, description="Layers of a critic."
    )
    discrete_critic_network_kwargs: Annotated[CriticNetworkConfig, NoEffect()] = Field(
        default_factory=CriticNetworkConfig, description="The slow copy has the layers of the policy's critic."
    )
    temperature_init: float = Field(default=1.0, gt=0, description="Worth of entropy at the beginning.")
    target_entropy: float | None = Field(
        default=None, description="Entropy that the temperature aims at; null: half of a number's less per action."
    )
    utd_ratio: int = Field(default=1, gt=0, description="Batches per update; the actor learns from the last one.")
    policy_update_freq: int = Field(default=1, gt=0, description="Updates between those of the actor.")
    grad_clip_norm: float = Field(default=40.0, gt=0, description="Largest norm of each network's gradients.")
    use_torch_compile: Annotated[bool, NoEffect()] = Field(default=False, description="Not supported.")
    policy_config: Annotated[Any, NoEffect()] = Field(default=None, description="The policy is the command's.")

    @model_validator(mode="after")
    def _some_of_the_critics(self) -> Self:
        if self.num_subsample_critics is not None and self.num_subsample_critics > self.num_critics:
            raise PydanticCustomError(
                "critics", "num_subsample_critics of at most num_critics, {most}", {"most": self.num_critics}
            )
        return self

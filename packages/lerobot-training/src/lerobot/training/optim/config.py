"""Configuration of the general optimizers and learning rate schedules, under the names of the field."""

from typing import ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import OptimizerConfig, SchedulerConfig


class AdamConfig(OptimizerConfig):
    """Adam."""

    target: ClassVar[str] = "lerobot.training.optim.optimizers:adam"

    type: str = "adam"
    betas: tuple[float, float] = Field(default=(0.9, 0.999), description="Decay of the running moments.")
    eps: float = Field(default=1e-8, gt=0, description="Added to the denominator.")


class AdamWConfig(OptimizerConfig):
    """Adam with decoupled weight decay."""

    target: ClassVar[str] = "lerobot.training.optim.optimizers:adamw"

    type: str = "adamw"
    weight_decay: float = Field(default=1e-2, ge=0, description="Weight decay.")
    betas: tuple[float, float] = Field(default=(0.9, 0.999), description="Decay of the running moments.")
    eps: float = Field(default=1e-8, gt=0, description="Added to the denominator.")


class SGDConfig(OptimizerConfig):
    """Stochastic gradient descent."""

    target: ClassVar[str] = "lerobot.training.optim.optimizers:sgd"

    type: str = "sgd"
    momentum: float = Field(default=0.0, ge=0, description="Momentum.")
    dampening: float = Field(default=0.0, ge=0, description="Dampening of the momentum.")
    nesterov: bool = Field(default=False, description="Nesterov's momentum.")


class DiffuserSchedulerConfig(SchedulerConfig):
    """Schedules as the diffusers library names them."""

    target: ClassVar[str] = "lerobot.training.optim.schedules:diffuser"

    type: str = "diffuser"
    num_warmup_steps: int | None = Field(default=None, ge=0, description="Steps of linear warm-up.")
    name: Literal["cosine", "linear", "constant", "constant_with_warmup"] = Field(
        default="cosine", description="Shape after the warm-up."
    )


class ConstantWithWarmupConfig(SchedulerConfig):
    """Linear warm-up, then constant."""

    target: ClassVar[str] = "lerobot.training.optim.schedules:constant_with_warmup"

    type: str = "constant_with_warmup"
    num_warmup_steps: int = Field(default=1000, ge=0, description="Steps of linear warm-up.")


class CosineAnnealingWithWarmupConfig(SchedulerConfig):
    """Linear warm-up, then half a cosine down to zero."""

    target: ClassVar[str] = "lerobot.training.optim.schedules:cosine_annealing_with_warmup"

    type: str = "cosine_annealing_with_warmup"
    num_warmup_steps: int = Field(ge=0, description="Steps of linear warm-up.")


class CosineDecayWithWarmupConfig(SchedulerConfig):
    """Warm-up to a peak, then a cosine down to a floor; shorter with shorter runs."""

    target: ClassVar[str] = "lerobot.training.optim.schedules:cosine_decay_with_warmup"

    type: str = "cosine_decay_with_warmup"
    num_warmup_steps: int = Field(ge=0, description="Steps of linear warm-up.")
    num_decay_steps: int = Field(gt=0, description="Steps after which the floor is reached, counted from 0.")
    peak_lr: float = Field(gt=0, description="Rate after the warm-up.")
    decay_lr: float = Field(ge=0, description="Rate at the end.")


class OneCycleConfig(SchedulerConfig):
    """Up to the full rate and down to almost nothing, each half a cosine, in one run."""

    target: ClassVar[str] = "lerobot.training.optim.schedules:one_cycle"

    type: str = "one_cycle"
    pct_start: float = Field(default=0.3, gt=0, lt=1, description="Part of the run in which the rate rises.")
    div_factor: float = Field(default=25.0, ge=1, description="How many times smaller the rate is at the start.")
    final_div_factor: float = Field(
        default=1e4, ge=1, description="How many times smaller than at the start it is at the end."
    )

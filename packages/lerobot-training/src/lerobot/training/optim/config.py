"""Configuration of optimizers and learning rate schedules, under the names of the field."""

from typing import Literal

from pydantic import Field

from lerobot.core.config.base import ConfigModel


class _Optimizer(ConfigModel):
    lr: float = Field(default=1e-3, gt=0, description="Learning rate.")
    weight_decay: float = Field(default=0.0, ge=0, description="Weight decay.")
    grad_clip_norm: float = Field(default=10.0, description="Largest norm of all gradients; 0 or less: no limit.")


class AdamConfig(_Optimizer):
    """Adam."""

    type: Literal["adam"] = "adam"
    betas: tuple[float, float] = Field(default=(0.9, 0.999), description="Decay of the running moments.")
    eps: float = Field(default=1e-8, gt=0, description="Added to the denominator.")


class AdamWConfig(_Optimizer):
    """Adam with decoupled weight decay."""

    type: Literal["adamw"] = "adamw"
    weight_decay: float = Field(default=1e-2, ge=0, description="Weight decay.")
    betas: tuple[float, float] = Field(default=(0.9, 0.999), description="Decay of the running moments.")
    eps: float = Field(default=1e-8, gt=0, description="Added to the denominator.")


class SGDConfig(_Optimizer):
    """Stochastic gradient descent."""

    type: Literal["sgd"] = "sgd"
    momentum: float = Field(default=0.0, ge=0, description="Momentum.")
    dampening: float = Field(default=0.0, ge=0, description="Dampening of the momentum.")
    nesterov: bool = Field(default=False, description="Nesterov's momentum.")


class XVLAAdamWConfig(_Optimizer):
    """AdamW with a tenth of the rate for the vision-language model, and a rate of its own for soft prompts."""

    type: Literal["xvla-adamw"] = "xvla-adamw"
    lr: float = Field(default=1e-4, gt=0, description="Learning rate.")
    betas: tuple[float, float] = Field(default=(0.9, 0.99), description="Decay of the running moments.")
    eps: float = Field(default=1e-8, gt=0, description="Added to the denominator.")
    soft_prompt_lr_scale: float = Field(default=1.0, gt=0, description="Rate of soft prompts, relative to lr.")
    soft_prompt_warmup_lr_scale: float | None = Field(
        default=None, gt=0, description="Rate of soft prompts while they warm up, relative to lr."
    )


OptimizerConfig = AdamConfig | AdamWConfig | SGDConfig | XVLAAdamWConfig


class DiffuserSchedulerConfig(ConfigModel):
    """Schedules as the diffusers library names them."""

    type: Literal["diffuser"] = "diffuser"
    num_warmup_steps: int | None = Field(default=None, ge=0, description="Steps of linear warm-up.")
    name: Literal["cosine", "linear", "constant", "constant_with_warmup"] = Field(
        default="cosine", description="Shape after the warm-up."
    )


class VQBeTSchedulerConfig(ConfigModel):
    """Full rate while the codebook is learned, then warm-up and cosine."""

    type: Literal["vqbet"] = "vqbet"
    num_warmup_steps: int = Field(ge=0, description="Steps of linear warm-up, after the codebook.")
    num_vqvae_training_steps: int = Field(ge=0, description="Steps in which the codebook is learned.")
    num_cycles: float = Field(default=0.5, gt=0, description="Waves of the cosine.")


class ConstantWithWarmupConfig(ConfigModel):
    """Linear warm-up, then constant."""

    type: Literal["constant_with_warmup"] = "constant_with_warmup"
    num_warmup_steps: int = Field(default=1000, ge=0, description="Steps of linear warm-up.")


class CosineAnnealingWithWarmupConfig(ConfigModel):
    """Linear warm-up, then half a cosine down to zero."""

    type: Literal["cosine_annealing_with_warmup"] = "cosine_annealing_with_warmup"
    num_warmup_steps: int = Field(ge=0, description="Steps of linear warm-up.")


class CosineDecayWithWarmupConfig(ConfigModel):
    """Warm-up to a peak, then a cosine down to a floor; shortened with runs shorter than the decay."""

    type: Literal["cosine_decay_with_warmup"] = "cosine_decay_with_warmup"
    num_warmup_steps: int = Field(ge=0, description="Steps of linear warm-up.")
    num_decay_steps: int = Field(gt=0, description="Steps after which the floor is reached, counted from 0.")
    peak_lr: float = Field(gt=0, description="Rate after the warm-up.")
    decay_lr: float = Field(ge=0, description="Rate at the end.")


SchedulerConfig = (
    DiffuserSchedulerConfig
    | VQBeTSchedulerConfig
    | ConstantWithWarmupConfig
    | CosineAnnealingWithWarmupConfig
    | CosineDecayWithWarmupConfig
)

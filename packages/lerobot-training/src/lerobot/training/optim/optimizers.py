"""From configurations to optimizers of a policy's parameters, in the groups the policy wants."""

from typing import Any, cast

import torch
from pydantic import TypeAdapter, ValidationError
from torch.optim import Optimizer

from lerobot.core.config.base import OptimizerConfig, SchedulerConfig
from lerobot.core.errors import ConfigError, ConfigProblem
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.devices import has_fused_steps
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.training.optim.config import AdamConfig, AdamWConfig, SGDConfig


def optimizer_preset(config: PreTrainedConfig) -> OptimizerConfig:
    """The optimizer that a policy asks for.

    Raises:
        ConfigError: it asks for one that does not exist.
    """
    return cast("OptimizerConfig", _preset(OptimizerConfig, config.optimizer_preset(), f"optimizer of {config.type}"))


def scheduler_preset(config: PreTrainedConfig) -> SchedulerConfig | None:
    """The schedule that a policy asks for, None for a constant rate.

    Raises:
        ConfigError: it asks for one that does not exist.
    """
    fields = config.scheduler_preset()
    return cast("SchedulerConfig | None", _preset(SchedulerConfig | None, fields, f"scheduler of {config.type}"))


def _preset(kind: Any, fields: Any, where: str) -> Any:
    try:
        return TypeAdapter(kind).validate_python(fields)
    except ValidationError as error:
        raise ConfigError(
            [ConfigProblem(where, str(fields), "a section of a training configuration", error.errors()[0]["msg"])]
        ) from error


def adam(config: AdamConfig, *, policy: PreTrainedPolicy) -> Optimizer:
    """Adam, in steps that read and write every weight once."""
    return torch.optim.Adam(
        policy.parameter_groups(),
        lr=config.lr,
        betas=config.betas,
        eps=config.eps,
        weight_decay=config.weight_decay,
        fused=has_fused_steps(policy),
    )


def adamw(config: AdamWConfig, *, policy: PreTrainedPolicy) -> Optimizer:
    """Adam with decoupled weight decay, in steps that read and write every weight once."""
    return torch.optim.AdamW(
        policy.parameter_groups(),
        lr=config.lr,
        betas=config.betas,
        eps=config.eps,
        weight_decay=config.weight_decay,
        fused=has_fused_steps(policy),
    )


def sgd(config: SGDConfig, *, policy: PreTrainedPolicy) -> Optimizer:
    """Stochastic gradient descent."""
    return torch.optim.SGD(
        policy.parameter_groups(),
        lr=config.lr,
        momentum=config.momentum,
        dampening=config.dampening,
        nesterov=config.nesterov,
        weight_decay=config.weight_decay,
    )

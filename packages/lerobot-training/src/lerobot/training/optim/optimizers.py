"""From configurations to optimizers."""

from collections.abc import Iterable
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn

from lerobot.core.errors import ConfigError, ConfigProblem
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.training.optim.config import (
    AdamConfig,
    AdamWConfig,
    OptimizerConfig,
    SchedulerConfig,
    SGDConfig,
    XVLAAdamWConfig,
)

_FUSED = {"cpu", "cuda", "mps", "xpu"}
"""Devices on which torch has fused steps."""


def optimizer_preset(config: PreTrainedConfig) -> OptimizerConfig:
    """The optimizer that a policy asks for.

    Raises:
        ConfigError: it asks for one that does not exist.
    """
    found: OptimizerConfig = _preset(OptimizerConfig, config.optimizer_preset(), f"optimizer of {config.type}")
    return found


def scheduler_preset(config: PreTrainedConfig) -> SchedulerConfig | None:
    """The schedule that a policy asks for, None for a constant rate.

    Raises:
        ConfigError: it asks for one that does not exist.
    """
    found: SchedulerConfig | None = _preset(
        SchedulerConfig | None, config.scheduler_preset(), f"scheduler of {config.type}"
    )
    return found


def _preset(kind: Any, fields: Any, where: str) -> Any:
    try:
        return TypeAdapter(kind).validate_python(fields)
    except ValidationError as error:
        raise ConfigError(
            [ConfigProblem(where, str(fields), "a section of a training configuration", error.errors()[0]["msg"])]
        ) from error


def make_optimizer(config: OptimizerConfig, policy: PreTrainedPolicy) -> torch.optim.Optimizer:
    """Make the optimizer of a policy's parameters, in the groups the policy wants."""
    match config:
        case SGDConfig():
            return torch.optim.SGD(
                policy.parameter_groups(),
                lr=config.lr,
                momentum=config.momentum,
                dampening=config.dampening,
                nesterov=config.nesterov,
                weight_decay=config.weight_decay,
            )
        case XVLAAdamWConfig():
            groups = xvla_groups(config, policy.named_parameters())
            return torch.optim.AdamW(groups, betas=config.betas, eps=config.eps, fused=_fused(policy))
        case AdamConfig() | AdamWConfig():
            kind = torch.optim.Adam if isinstance(config, AdamConfig) else torch.optim.AdamW
            return kind(
                policy.parameter_groups(),
                lr=config.lr,
                betas=config.betas,
                eps=config.eps,
                weight_decay=config.weight_decay,
                fused=_fused(policy),
            )


def _fused(policy: PreTrainedPolicy) -> bool | None:
    """Whether a step may read and write every weight once instead of a dozen times; None where torch shall choose."""
    learned = [parameter for parameter in policy.parameters() if parameter.requires_grad]
    return True if all(each.device.type in _FUSED and each.is_floating_point() for each in learned) else None


def xvla_groups(config: XVLAAdamWConfig, parameters: Iterable[tuple[str, nn.Parameter]]) -> list[dict[str, Any]]:
    """Group parameters by what their names contain: `vlm`, `soft_prompt`, or neither; empty groups are left out."""
    groups: dict[str, list[nn.Parameter]] = {"vlm": [], "soft_prompts": [], "other": []}
    for name, parameter in parameters:
        if parameter.requires_grad:
            kind = "vlm" if "vlm" in name.lower() else "soft_prompts" if "soft_prompt" in name.lower() else "other"
            groups[kind].append(parameter)
    prompts = config.soft_prompt_warmup_lr_scale or config.soft_prompt_lr_scale
    scales = {"vlm": (0.1, 0.1), "soft_prompts": (prompts, 1.0), "other": (1.0, 1.0)}
    return [
        {
            "name": name,
            "params": members,
            "lr": config.lr * scales[name][0],
            "weight_decay": config.weight_decay * scales[name][1],
        }
        for name, members in groups.items()
        if members
    ]

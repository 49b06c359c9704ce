"""Optimizers and learning rate schedules, built of parameters as torch does it."""

from collections.abc import Iterable
from functools import cache
from itertools import chain
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from lerobot.core.registry import registry


class _Parameters:
    """What an optimizer asks of a policy, of parameters alone."""

    def __init__(self, parameters: Iterable[Any]) -> None:
        self._groups = list(parameters)

    def parameter_groups(self) -> list[Any]:
        return self._groups

    def parameters(self) -> Iterable[nn.Parameter]:
        return chain.from_iterable(group["params"] if isinstance(group, dict) else [group] for group in self._groups)


class _Builds:
    def build(self, params: Iterable[Any] = (), *, policy: Any = None) -> Optimizer:
        """Make the optimizer.

        Args:
            params: parameters, or groups of them with their own settings.
            policy: whose parameters to take, in place of `params`.
        """
        built: Optimizer = registry.implementation(self)(self, policy=policy or _Parameters(params))
        return built


class _Schedules:
    def build(self, optimizer: Optimizer, num_training_steps: int = 0, *, total_steps: int = 0) -> LRScheduler:
        """Make the schedule.

        Args:
            optimizer: whose rate it changes.
            num_training_steps: length of the run.
            total_steps: the same, as it is called here.
        """
        steps = num_training_steps or total_steps
        built: LRScheduler = registry.implementation(self)(self, optimizer=optimizer, total_steps=steps)
        return built


@cache
def optimizer(config: type) -> type:
    """The configuration of an optimizer that builds it of parameters."""
    return _with(_Builds, config)


@cache
def scheduler(config: type) -> type:
    """The configuration of a schedule that builds it of an optimizer and a length."""
    return _with(_Schedules, config)


def _with(calls: type, config: type) -> type:
    body = {"__module__": config.__module__, "__doc__": config.__doc__, "build": vars(calls)["build"]}
    return type(config.__name__, (config,), body)


def optimizer_of(policy_config: Any) -> Any:
    """The configuration of the optimizer that a policy asks for; its `build` takes parameters."""
    from lerobot.training.optim.optimizers import optimizer_preset

    preset = optimizer_preset(policy_config)
    return optimizer(type(preset))(**preset.model_dump())


def scheduler_of(policy_config: Any) -> Any:
    """The configuration of the schedule that a policy asks for; None for a constant rate."""
    from lerobot.training.optim.optimizers import scheduler_preset

    preset = scheduler_preset(policy_config)
    return None if preset is None else scheduler(type(preset))(**preset.model_dump())


def make_optimizer_and_scheduler(cfg: Any, policy: Any) -> tuple[Optimizer, LRScheduler | None]:
    """Make both for a training configuration.

    Args:
        cfg: with `policy`, `steps`, and optionally `optimizer` and `scheduler`.
        policy: what learns.
    """
    chosen = cfg.optimizer or optimizer_of(cfg.policy)
    built: Optimizer = registry.implementation(chosen)(chosen, policy=policy)
    plan = cfg.scheduler if cfg.optimizer else cfg.scheduler or scheduler_of(cfg.policy)
    if plan is None:
        return built, None
    return built, registry.implementation(plan)(plan, optimizer=built, total_steps=cfg.steps)

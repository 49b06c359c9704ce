"""The processes of a run: how many there are, and whether that is how many were asked for."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState, GradientState, PartialState

from lerobot.core.errors import LeRobotError
from lerobot.policies.devices import choose_device
from lerobot.training.config import AcceleratorConfig


@contextmanager
def joined(config: AcceleratorConfig, device: str | None, *, use_amp: bool = False) -> Iterator[Accelerator]:
    """Join the processes that a launcher started, one alone if there was none, and leave them at the end.

    The accelerate library keeps one state for a whole process. What a notebook has there is another run's, so it is put
    aside meanwhile; there is no public way to.

    Args:
        config: precision, accumulation, gradients.
        device: device of the policy; None for the best there is.
        use_amp: the policy asks for mixed precision, and the configuration does not say which.

    Raises:
        LeRobotError: the launcher started fewer processes than it was told to.
    """
    chosen = choose_device(device)
    if chosen.type == "cuda" and chosen.index is not None and "LOCAL_RANK" not in os.environ:
        torch.cuda.set_device(chosen)
    precision = "bf16" if use_amp and config.mixed_precision == "no" else config.mixed_precision
    kept: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for state in (PartialState._shared_state, AcceleratorState._shared_state, GradientState._shared_state):
        kept.append((state, dict(state)))
        state.clear()
    try:
        accelerator = Accelerator(
            cpu=chosen.type == "cpu",
            mixed_precision=precision,
            gradient_accumulation_steps=config.gradient_accumulation.steps,
            step_scheduler_with_optimizer=False,
            kwargs_handlers=[DistributedDataParallelKwargs(**config.ddp.model_dump())],
        )
        try:
            check_launched(accelerator.num_processes, os.environ)
            yield accelerator
        finally:
            accelerator.end_training()
    finally:
        for state, before in kept:
            state.clear()
            state.update(before)


def check_launched(started: int, environ: Mapping[str, str]) -> None:
    """Check that there are as many processes as the launcher was asked for.

    Args:
        started: processes that found each other.
        environ: environment variables, where launchers say what they do.

    Raises:
        LeRobotError: there are fewer.
    """
    asked = int(environ.get("WORLD_SIZE") or 1)
    if asked != started:
        raise LeRobotError(
            f"the launcher was asked for {asked} processes, but {started} joined",
            hint="Start with: torchrun --nproc-per-node=N $(which lerobot) train ...",
        )
    # `accelerate launch` says where processes shall meet only if there are to be several, and then starts one if it
    # finds no way to start more, as with --cpu.
    if "ACCELERATE_MIXED_PRECISION" in environ and "MASTER_PORT" in environ and "WORLD_SIZE" not in environ:
        raise LeRobotError(
            "accelerate launch was asked for several processes and started one",
            expected="as many processes as --num_processes says",
            hint="On CPUs start with: torchrun --nproc-per-node=N $(which lerobot) train ... --policy.device=cpu",
        )

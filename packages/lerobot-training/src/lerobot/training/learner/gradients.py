"""Gradients that are too long."""

from collections.abc import Iterable

import torch

from lerobot.training.sharding.tensors import whole


def clip_gradients(parameters: Iterable[torch.nn.Parameter], limit: float) -> torch.Tensor:
    """Scale gradients down to a norm, as `torch.nn.utils.clip_grad_norm_` does.

    On a CPU they are not touched where they are short enough: torch would multiply each by 1.

    Args:
        parameters: those with gradients, and others.
        limit: largest norm of all gradients together.

    Returns:
        The norm there was, a scalar.
    """
    learned = [parameter for parameter in parameters if parameter.grad is not None]
    norm = whole(torch.nn.utils.get_total_norm(parameter.grad for parameter in learned if parameter.grad is not None))
    # A GPU multiplies in less time than it takes to hear what the norm is.
    if norm.device.type != "cpu" or not norm + 1e-6 <= limit:
        torch.nn.utils.clip_grads_with_norm_(learned, limit, norm)
    return norm

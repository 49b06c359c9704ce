"""Does an exported file act like the policy? Compared on random observations, before anybody trusts it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lerobot.core.errors import LeRobotError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.export.program import Port
from lerobot.policies.processing.bridge import to_tensor
from lerobot.policies.processing.normalization import ScalingStep

TOLERANCE = 1e-4
"""Largest difference, as part of the largest action: actions are in the robot's units, which may be degrees."""

Observations = dict[str, NDArray[Any]]
"""By input, `(B, ...)`, as a robot gives it."""

Run = Callable[[Observations], NDArray[np.float32]]
"""From observations to actions `(B, T, Da)`."""


def random_observations(trained: PolicyWithProcessors, ports: Sequence[Port], size: int, seed: int) -> Observations:
    """Make up observations that the policy could have seen: vectors around the dataset's mean, noise as images.

    Args:
        trained: whose statistics say what is usual.
        ports: what to make up.
        size: number of observations.
        seed: of the random numbers.
    """
    random = np.random.default_rng(seed)
    stats = _statistics(trained)
    made: Observations = {}
    for port in ports:
        shape = (size, *port.shape)
        if port.dtype == "uint8":
            made[port.name] = random.integers(0, 256, shape, np.uint8)
        elif port.is_image:
            made[port.name] = random.uniform(0, 5000, shape).astype(np.float32)
        else:
            middle, spread = _usual(stats, port.name)
            made[port.name] = (middle + spread * random.normal(size=shape)).astype(np.float32)
    return made


def _statistics(trained: PolicyWithProcessors) -> dict[str, Any]:
    steps = trained.processors.preprocessor.steps
    return {name: value for step in steps if isinstance(step, ScalingStep) for name, value in step.state_dict().items()}


def _usual(stats: Mapping[str, Any], key: str) -> tuple[Any, Any]:
    """Middle and spread of a vector."""
    for low, high in (("min", "max"), ("q01", "q99"), ("q10", "q90")):
        if f"{key}.{low}" in stats and f"{key}.{high}" in stats:
            first, last = (stats[f"{key}.{name}"].numpy() for name in (low, high))
            return (first + last) / 2, (last - first) / 4
    if f"{key}.mean" in stats and f"{key}.std" in stats:
        return stats[f"{key}.mean"].numpy(), stats[f"{key}.std"].numpy()
    return 0.0, 1.0


def actions_of(trained: PolicyWithProcessors, observations: Observations) -> NDArray[np.float32]:
    """Ask the policy itself, for each observation alone and on the way a robot's observation takes.

    Returns:
        Actions `(B, T, Da)`, in the robot's units.
    """
    policy, (preprocessor, postprocessor) = trained.policy, trained.processors
    chunks = []
    with torch.inference_mode():
        for index in range(len(next(iter(observations.values())))):
            trained.processors.reset()
            sample = {key: to_tensor(values[index]) for key, values in observations.items()}
            chunks.append(postprocessor(policy.predict_action_chunk(preprocessor(sample))))
    return np.concatenate([chunk.numpy() for chunk in chunks])


def check_parity(
    run: Run, trained: PolicyWithProcessors, ports: Sequence[Port], sizes: Sequence[int], what: str
) -> float:
    """Compare an exported policy with the policy itself.

    Args:
        run: runs the exported policy.
        trained: the policy.
        ports: what a robot gives.
        sizes: batch sizes to compare with, each on new random observations.
        what: what is compared, for messages.

    Returns:
        The largest difference, as part of the largest action (of 1, if all are smaller).

    Raises:
        LeRobotError: it is larger than `TOLERANCE`, or no number.
    """
    worst = 0.0
    for seed, size in enumerate(sizes):
        observations = random_observations(trained, ports, size, seed)
        expected, found = actions_of(trained, observations), run(observations)
        if found.shape != expected.shape:
            raise LeRobotError(f"{what} gives actions {found.shape}", expected=f"{expected.shape}, as the policy does")
        scale = max(1.0, float(np.abs(expected).max()))
        difference = float(np.abs(found - expected).max()) / scale
        if not difference <= TOLERANCE:
            raise LeRobotError(
                f"{what} differs from the policy by {difference * scale:.3g}, {difference:.2g} of the largest action",
                expected=f"at most {TOLERANCE:g}",
                hint="The file was not kept. The policy or a processor step does something that cannot be traced.",
            )
        worst = max(worst, difference)
    return worst

"""Does an exported file act like the policy? Compared on random observations, before anybody trusts it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lerobot.core.errors import LeRobotError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.export.program import DrawsNoise, Port
from lerobot.policies.formats import TOLERANCE
from lerobot.policies.processing.bridge import to_tensor
from lerobot.policies.processing.normalization import ScalingStep
from lerobot.policies.windowed import WindowedPolicy

Observations = dict[str, NDArray[Any]]
"""By input, `(B, ...)`, as a robot gives it."""

Run = Callable[[Observations], NDArray[np.float32]]
"""From observations to actions `(B, T, Da)`."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How an exported file differs from the policy.

    Attributes:
        worst: of each number of an action, `(Da,)`, in the robot's units.
        mean: of each number of an action, `(Da,)`.
        largest: magnitude of the largest action the policy gave, at least 1.
    """

    worst: NDArray[np.float32]
    mean: NDArray[np.float32]
    largest: float

    @property
    def relative(self) -> float:
        """The largest difference as part of the largest action."""
        return float(self.worst.max()) / self.largest


def random_observations(trained: PolicyWithProcessors, ports: Sequence[Port], size: int, seed: int) -> Observations:
    """Make up observations that the policy could have seen: vectors around the dataset's mean, noise as images.

    Args:
        trained: whose statistics say what is usual, and which draws what it draws.
        ports: what to make up.
        size: number of observations.
        seed: of the random numbers.
    """
    random = np.random.default_rng(seed)
    stats = _statistics(trained)
    made: Observations = {}
    for port in ports:
        shape = (size, *port.shape)
        if port.noise is not None:
            made[port.name] = _noise(trained, size, seed)
        elif port.dtype == "uint8":
            made[port.name] = random.integers(0, 256, shape, np.uint8)
        elif port.is_image:
            made[port.name] = random.uniform(0, 5000, shape).astype(np.float32)
        else:
            middle, spread = _usual(stats, port.name)
            made[port.name] = (middle + spread * random.normal(size=shape)).astype(np.float32)
    return made


def _noise(trained: PolicyWithProcessors, size: int, seed: int) -> NDArray[np.float32]:
    """What the policy draws for each observation in `actions_of`."""
    if not isinstance(trained.policy, DrawsNoise):
        raise TypeError(f"policy {trained.policy.name!r} draws no noise")
    drawn = []
    with torch.random.fork_rng(devices=()):
        for index in range(size):
            torch.manual_seed(_seed_of(seed, index))
            drawn.append(trained.policy.draw_noise(1))
    return torch.cat(drawn).numpy()


def _seed_of(seed: int, index: int) -> int:
    return 1000 * seed + index


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


def actions_of(
    trained: PolicyWithProcessors, observations: Observations, seed: int = 0, task: str | None = None
) -> NDArray[np.float32]:
    """Ask the policy itself, for each observation alone and on the way a robot's observation takes.

    Args:
        trained: the policy.
        observations: from `random_observations`; their noise is left aside.
        seed: theirs: what the policy draws at random is that noise.
        task: what a policy that reads its task is told.

    Returns:
        Actions `(B, T, Da)`, in the robot's units.
    """
    policy, (preprocessor, postprocessor) = trained.policy, trained.processors
    seen = {key: values for key, values in observations.items() if key in policy.config.input_features}
    told = {} if task is None else {"task": task}
    chunks = []
    with torch.inference_mode(), torch.random.fork_rng(devices=()):
        for index in range(len(next(iter(seen.values())))):
            trained.processors.reset()
            row = {key: values[index] for key, values in seen.items()}
            if isinstance(policy, WindowedPolicy):
                steps = [
                    preprocessor({**told, **{key: to_tensor(values[step]) for key, values in row.items()}})
                    for step in range(policy.config.n_obs_steps)
                ]
                batch = steps[-1] | {key: torch.stack([step[key] for step in steps], dim=1) for key in row}
            else:
                batch = preprocessor({**told, **{key: to_tensor(value) for key, value in row.items()}})
            torch.manual_seed(_seed_of(seed, index))
            chunks.append(postprocessor(policy.predict_action_chunk(batch)))
    return np.concatenate([chunk.numpy() for chunk in chunks])


def compare(
    run: Run,
    trained: PolicyWithProcessors,
    ports: Sequence[Port],
    sizes: Sequence[int],
    what: str,
    task: str | None = None,
) -> Difference:
    """Compare an exported policy with the policy itself.

    Args:
        run: runs the exported policy.
        trained: the policy.
        ports: what it is given.
        sizes: batch sizes to compare with, each on new random observations.
        what: what is compared, for messages.
        task: what a policy that reads its task is told.

    Raises:
        LeRobotError: it gives actions of another shape, or what is no number.
    """
    found_all, expected_all = [], []
    for seed, size in enumerate(sizes):
        observations = random_observations(trained, ports, size, seed)
        expected, found = actions_of(trained, observations, seed, task), run(observations)
        if found.shape != expected.shape:
            raise LeRobotError(f"{what} gives actions {found.shape}", expected=f"{expected.shape}, as the policy does")
        found_all.append(found)
        expected_all.append(expected)
    found, expected = np.concatenate(found_all), np.concatenate(expected_all)
    error = np.abs(found - expected).reshape(-1, expected.shape[-1])
    return Difference(error.max(axis=0), error.mean(axis=0), max(1.0, float(np.abs(expected).max())))


def require_alike(
    difference: Difference, what: str, *, tolerance: float = TOLERANCE, max_error: float | None = None
) -> None:
    """Check that a file acts like the policy.

    Args:
        difference: from `compare`.
        what: what was compared, for messages.
        tolerance: largest difference, as part of the largest action.
        max_error: largest difference in the robot's units, in place of `tolerance`; None for that.

    Raises:
        LeRobotError: it differs more, or by what is no number.
    """
    worst = float(difference.worst.max())
    allowed, expected = (
        (tolerance * difference.largest, f"at most {tolerance:g}")
        if max_error is None
        else (max_error, f"at most {max_error:g} in the robot's units")
    )
    if not worst <= allowed:
        raise LeRobotError(
            f"{what} differs from the policy by {worst:.3g}, {difference.relative:.2g} of the largest action",
            expected=expected,
            hint="The file was not kept. The policy or a processor step does something that cannot be traced."
            if tolerance <= TOLERANCE
            else "The file was not kept. --max_error allows more, in the robot's units; int8 can keep layers in "
            "float32: keep=[PATTERN].",
        )

"""Checkpoints from before processors had files: their statistics lie among the weights.

`normalize_inputs.buffer_<key with '.' as '_'>.<statistic>` and the same under `normalize_targets` and
`unnormalize_outputs`. Source: the layout of huggingface/lerobot up to 0.3.
"""

from collections.abc import Mapping

from torch import Tensor

from lerobot.core.errors import CheckpointError
from lerobot.policies.features import PolicyFeatures

_PREFIXES = ("normalize_inputs.buffer_", "normalize_targets.buffer_", "unnormalize_outputs.buffer_")


def is_statistic(name: str) -> bool:
    """Whether the tensor of this name is a statistic and no weight."""
    return name.startswith(_PREFIXES)


def statistics_among(weights: Mapping[str, Tensor], features: PolicyFeatures) -> dict[str, dict[str, Tensor]]:
    """Collect the statistics among weights.

    Args:
        weights: tensors by name.
        features: inputs and outputs of the policy.

    Returns:
        Statistics by feature and name; empty if there are none.

    Raises:
        CheckpointError: there are statistics of no feature of the policy.
    """
    keys = {key.replace(".", "_"): key for key in features}
    statistics: dict[str, dict[str, Tensor]] = {}
    for name, tensor in weights.items():
        prefix = next((each for each in _PREFIXES if name.startswith(each)), None)
        if prefix is None:
            continue
        flat, _, statistic = name.removeprefix(prefix).rpartition(".")
        if flat not in keys:
            raise CheckpointError(f"{name} belongs to no feature of the policy", expected=", ".join(features))
        statistics.setdefault(keys[flat], {})[statistic] = tensor
    return statistics

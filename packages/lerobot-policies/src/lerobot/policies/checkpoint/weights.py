"""Weights in a file, and the one way into a policy: complete, exact or not at all."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_model
from torch import Tensor, nn

from lerobot.core.durable import flush_file, publish
from lerobot.core.errors import CheckpointError
from lerobot.policies.checkpoint.legacy import without_statistics


def save_weights(module: nn.Module, path: Path) -> None:
    """Write every parameter and buffer to a safetensors file, replacing it in one step.

    Tensors that share memory are written once; the header says under which name.

    Args:
        module: whose weights.
        path: the file.
    """
    aside = path.with_name(f".{path.name}.new")
    try:
        save_model(module, str(aside), metadata={"format": "pt"})
        flush_file(aside)
        publish(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file.

    Returns:
        The tensors, and the name each left-out alias is stored under.

    Raises:
        CheckpointError: the file is missing, cut off or otherwise damaged.
    """
    try:
        with safe_open(str(path), framework="pt", device="cpu") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} cannot be read: {error}",
            expected="a complete safetensors file",
            hint="Copy or download it again.",
        ) from error
    return tensors, {alias: name for alias, name in metadata.items() if name in tensors}


def load_weights(module: nn.Module, path: Path) -> None:
    """Fill a module from a file: with everything it needs, and nothing else.

    Statistics that old checkpoints keep among the weights are left out.

    Args:
        module: what to fill; unchanged if anything is wrong.
        path: a safetensors file.

    Raises:
        CheckpointError: the file is damaged, or a weight is missing, unknown or of another shape; names it.
    """
    weights, aliases = read_weights(path)
    weights = without_statistics({**{alias: weights[name] for alias, name in aliases.items()}, **weights})
    check_weights(module, weights, str(path))
    module.load_state_dict(weights)


def check_weights(module: nn.Module, weights: Mapping[str, Tensor], source: str) -> None:
    """Check that weights are exactly those of a module.

    Args:
        module: what they are for.
        weights: tensors by name.
        source: where they come from, for messages.

    Raises:
        CheckpointError: a weight is missing, unknown, or of another shape or kind; names each.
    """
    check_named_weights(module.state_dict(), weights, source)


def check_named_weights(expected: Mapping[str, Tensor], weights: Mapping[str, Tensor], source: str) -> None:
    """Check that weights are exactly the expected ones; see `check_weights`."""
    _refuse("lacks", sorted(set(expected) - set(weights)), source)
    _refuse("holds weights the policy does not have:", sorted(set(weights) - set(expected)), source)
    wrong = [
        f"{name} {_described(weights[name])} instead of {_described(tensor)}"
        for name, tensor in expected.items()
        if weights[name].shape != tensor.shape or weights[name].is_floating_point() != tensor.is_floating_point()
    ]
    _refuse("holds weights of another form:", wrong, source)


def _described(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def _refuse(what: str, names: Sequence[str], source: str) -> None:
    if names:
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        raise CheckpointError(
            f"{source} {what} {', '.join(names[:8])}{more}",
            expected="the weights of a policy of exactly this configuration",
            hint="Load it with the config.json it was saved with.",
        )

"""Weights in a file, and the one way into a policy: complete, exact or not at all."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors.torch import save_model
from torch import Tensor, nn

from lerobot.core.durable import flush_file, publish
from lerobot.core.errors import CheckpointError
from lerobot.policies.checkpoint.header import read_header
from lerobot.policies.checkpoint.legacy import is_statistic
from lerobot.policies.checkpoint.progress import loading_bar

DTYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
}
"""Types by their names in a file."""

Weights = Mapping[str, Tensor]
"""Tensors by name."""


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


def read_weights(
    path: Path,
    wanted: Callable[[str], bool] = lambda _: True,
    placed: Callable[[str, Tensor], Tensor] = lambda _, tensor: tensor,
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file.

    Its library maps the file into memory instead: then it counts twice once tensors are copied, and if they are not,
    whoever writes to the file changes the weights of a policy that drives a robot.

    Args:
        path: the file.
        wanted: whether the tensor of a name is to be read.
        placed: brings each tensor, whose name it is told, to where it is needed, before the next one is read.

    Returns:
        The tensors, and the name each left-out alias is stored under.

    Raises:
        CheckpointError: the file is missing, cut off or otherwise damaged.
    """
    header = read_header(path)
    entries = {name: entry for name, entry in header.tensors.items() if wanted(name)}
    tensors: dict[str, Tensor] = {}
    try:
        with path.open("rb") as file, loading_bar(path, sum(map(_size, entries.values()))) as tell:
            for name, entry in entries.items():
                tensors[name] = placed(name, _tensor(file, header.start, entry))
                tell(_size(entry))
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise CheckpointError(
            f"{path} cannot be read: {error}",
            expected="a complete safetensors file",
            hint="Copy or download it again.",
        ) from error
    return tensors, {alias: name for alias, name in header.metadata.items() if name in tensors}


def _size(entry: Mapping[str, Any]) -> int:
    first, end = entry["data_offsets"]
    return int(end - first)


def _tensor(file: BinaryIO, start: int, entry: Mapping[str, Any]) -> Tensor:
    first, end = entry["data_offsets"]
    dtype = DTYPES[entry["dtype"]]
    if first < 0 or end - first != math.prod(entry["shape"]) * dtype.itemsize:
        raise ValueError(f"{entry} does not fit together")
    tensor = torch.empty(entry["shape"], dtype=dtype)
    file.seek(start + first)
    if file.readinto(tensor.flatten().view(torch.uint8).numpy()) != end - first:  # type: ignore[attr-defined]
        raise ValueError("it ends too early")
    return tensor


def load_weights(
    module: nn.Module,
    source: Path | Sequence[Path],
    published: Callable[[Weights], Weights] = lambda weights: weights,
    dtype: torch.dtype | None = None,
    device: torch.device | None = None,
) -> None:
    """Give a module the tensors of a file, or of several together: everything it needs, and nothing else.

    They take the place of the module's own, which may be on the meta device. Each is brought to its type as soon as it
    is read, so that a file of more bits needs no more memory. Statistics that old checkpoints keep among the weights
    are left out.

    Args:
        module: what to fill; unchanged if anything is wrong.
        source: a safetensors file, or several.
        published: gives the weights under the module's names; see `PreTrainedPolicy.published`.
        dtype: type of floating-point weights; None for those that the module declares.
        device: where each goes as soon as it is read; None for the CPU.

    Raises:
        CheckpointError: the file is damaged, or a weight is missing, unknown or of another shape; names it. Or the
            module would still lack something.
    """
    expected = module.state_dict()
    paths = [source] if isinstance(source, Path) else [*source]
    origin = ", ".join(map(str, paths))
    types = _types(paths, expected, published, dtype)
    weights: dict[str, Tensor] = {}
    aliases: dict[str, str] = {}
    for path in paths:
        found, others = read_weights(
            path,
            lambda name: not is_statistic(name),
            lambda name, tensor: tensor.to(device, types.get(name)),
        )
        weights |= found
        aliases |= others
    named = dict(published(_with_aliases(weights, aliases)))
    del weights
    check_named_weights(expected, named, origin)
    for name, tensor in expected.items():
        named[name] = named[name].to(dtype if dtype is not None and tensor.is_floating_point() else tensor.dtype)
    assign_weights(module, named)
    tensors = chain(module.named_parameters(), module.named_buffers())
    missing = [name for name, tensor in tensors if tensor.is_meta]
    _refuse("cannot hold what the policy computed of weights that were not there yet:", missing, origin)


def assign_weights(module: nn.Module, weights: Weights) -> None:
    """Let tensors take the place of a module's own; a parameter that stands in several places stays one.

    Args:
        module: changed in place.
        weights: all it has, in shape.
    """
    shared = _shared_parameters(module)
    module.load_state_dict(weights, assign=True)
    for names in shared:
        for name in names[1:]:
            owner, _, last = name.rpartition(".")
            setattr(module.get_submodule(owner), last, module.get_parameter(names[0]))


def check_file(
    module: nn.Module, path: Path, published: Callable[[Weights], Weights] = lambda weights: weights
) -> None:
    """Check that a file holds exactly the weights of a module, by its header alone; see `load_weights`.

    Args:
        module: what they are for; may be on the meta device.
        path: a safetensors file, of which no tensor is read.
        published: gives the weights under the module's names.

    Raises:
        CheckpointError: the file is damaged, or a weight is missing, unknown or of another shape; names it.
    """
    described, aliases = _described_in([path])
    check_named_weights(module.state_dict(), published(_with_aliases(described, aliases)), str(path))


def _described_in(paths: Sequence[Path]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors as files describe them, without memory and without statistics, and the names that stand for others."""
    described: dict[str, Tensor] = {}
    aliases: dict[str, str] = {}
    for path in paths:
        header = read_header(path)
        try:
            described |= {
                name: torch.empty(entry["shape"], dtype=DTYPES[entry["dtype"]], device="meta")
                for name, entry in header.tensors.items()
                if not is_statistic(name)
            }
        except (ValueError, TypeError, LookupError, RuntimeError) as error:
            raise CheckpointError(f"{path} cannot be read: {error}", expected="a complete safetensors file") from error
        aliases |= header.metadata
    return described, aliases


def _types(
    paths: Sequence[Path], expected: Weights, published: Callable[[Weights], Weights], dtype: torch.dtype | None
) -> dict[str, torch.dtype]:
    """Types to bring tensors of a file to, by their names there; what nobody can say beforehand is absent.

    Args:
        paths: the files, of which no tensor is read.
        expected: what the module has.
        published: gives the weights under the module's names.
        dtype: of floating-point weights; None for what the module has.
    """
    described, aliases = _described_in(paths)
    named = {id(tensor): name for name, tensor in published(_with_aliases(described, aliases)).items()}
    found = {}
    for name, tensor in described.items():
        own = expected.get(named.get(id(tensor), ""))
        if own is not None and tensor.is_floating_point() and own.is_floating_point():
            found[name] = own.dtype if dtype is None else dtype
    return found


def _with_aliases(weights: Weights, aliases: Mapping[str, str]) -> Weights:
    """Tensors by all of their names; a file holds one that has several only once."""
    return {**{alias: weights[name] for alias, name in aliases.items() if name in weights}, **weights}


def _shared_parameters(module: nn.Module) -> list[list[str]]:
    """Names of each parameter that has several."""
    names: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return [each for each in names.values() if len(each) > 1]


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

"""What an exported policy takes and gives: the JSON beside and inside its files."""

from collections.abc import Mapping, Sequence
from typing import Any

from lerobot.core.types import FeatureSpec
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.export.format import OUTPUT
from lerobot.policies.export.program import Port, Trace
from lerobot.policies.features import ACTION
from lerobot.policies.preflight.sources import Described, flat_names

VERSION = 2


def describe(
    config: PreTrainedConfig,
    trace: Trace,
    chunk: Sequence[int],
    sources: Sequence[Described],
    fps: float | None,
    task: str | None = None,
) -> dict[str, Any]:
    """Describe an exported policy.

    Args:
        config: of the policy.
        trace: the traced policy.
        chunk: shape of its actions without the batch axis, `(T, Da)`.
        sources: robot and dataset that name joints and units, as far as they were given; the first one that knows
            counts.
        fps: actions per second; None if unknown.
        task: what the policy was told; None if it reads none.

    Returns:
        JSON values. A shape begins with `"batch"` if the batch may have any size. `names` and `units` are those of the
        last axis, null where nobody said them. An input with `steps` is a window: the last so many observations, the
        oldest first, and as long as there are fewer the first one in their place. An input with `noise` is drawn
        anew for every chunk: `"normal"` with mean 0 and deviation 1, `"exponential"` with mean 1. The first action of
        a chunk belongs to the newest observation.
    """
    batch: Any = "batch" if trace.dynamic else 1
    names, units = action_names(sources)
    return {
        "format_version": VERSION,
        "policy": config.type,
        "fps": fps,
        "n_action_steps": config.executed_steps,
        "task": task,
        "inputs": [_input(port, batch, sources) for port in trace.ports],
        "outputs": [{"name": OUTPUT, "dtype": "float32", "shape": [batch, *chunk], "names": names, "units": units}],
        "config": config.model_dump(mode="json", exclude={"pretrained_path", "device"}),
    }


def _input(port: Port, batch: Any, sources: Sequence[Described]) -> dict[str, Any]:
    described: dict[str, Any] = {"name": port.name, "dtype": port.dtype, "shape": [batch, *port.shape]}
    if port.noise is not None:
        return {**described, "noise": port.noise}
    if port.steps is not None:
        described["steps"] = port.steps
    if port.is_image:
        return {**described, "layout": "HWC", "units": "0 to 255, RGB" if port.dtype == "uint8" else "millimetres"}
    return {**described, "names": _names(port.name, sources), "units": _units(port.name, sources)}


def action_names(sources: Sequence[Described]) -> tuple[list[str] | None, list[str | None] | None]:
    """Names and units of the numbers of an action, as far as somebody said them."""
    return _names(ACTION, sources), _units(ACTION, sources)


def _names(key: str, sources: Sequence[Described]) -> list[str] | None:
    for source in sources:
        if names := flat_names(source.features.get(key, {}).get("names")):
            return names
    return None


def _units(key: str, sources: Sequence[Described]) -> list[str | None] | None:
    names = _names(key, sources)
    specs: Mapping[str, FeatureSpec] = next((source.specs for source in sources if source.specs), {})
    return [specs[name].unit if name in specs else None for name in names] if names and specs else None

"""Trace, write, compare: a file that does not act like the policy is not kept."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from lerobot.core.durable import replace_text
from lerobot.core.paths import user_path
from lerobot.core.registry import registry
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.export.description import describe
from lerobot.policies.export.format import ExportFormat
from lerobot.policies.export.parity import actions_of, check_parity, random_observations
from lerobot.policies.export.program import Trace, ports_of, require_exportable, trace
from lerobot.policies.formats import ExportFormatConfig, OnnxConfig, TorchExportConfig
from lerobot.policies.preflight.sources import Described

log = logging.getLogger(__name__)

NAME = "policy"


def export(
    trained: PolicyWithProcessors,
    folder: Path,
    *,
    formats: Sequence[ExportFormatConfig | str] = (OnnxConfig(), TorchExportConfig()),
    sources: list[Described] | None = None,
    fps: float | None = None,
) -> Mapping[Path, float]:
    """Export a policy with its processors.

    Args:
        trained: the policy, on the CPU.
        folder: where `policy.<format>` and `policy.json` are put; created if need be.
        formats: kinds of files, or their names.
        sources: who names joints and units; see `describe`.
        fps: actions per second.

    Returns:
        By file, how much it differs from the policy; see `check_parity`.

    Raises:
        LeRobotError: the policy does not offer it or cannot be traced, or a file does not act like it and is not kept.
    """
    folder = user_path(folder)
    require_exportable(trained.policy)
    ports = ports_of(trained.policy.config.input_features)
    examples = random_observations(trained, ports, size=2, seed=0)
    # What the policy itself cannot do is said by it, not by the tracer.
    chunk = actions_of(trained, examples).shape[1:]
    traced = trace(trained, {key: torch.from_numpy(value) for key, value in examples.items()})
    if not traced.dynamic:
        log.warning("the policy takes one observation at a time only: it cannot be traced for batches of any size")
    described = describe(trained.policy.config, traced, chunk, sources or [], fps)
    folder.mkdir(parents=True, exist_ok=True)
    differences = {}
    for each in formats:
        chosen = registry.config_class("export_format", each)() if isinstance(each, str) else each
        path = folder / f"{NAME}.{chosen.type}"
        differences[path] = _write(trained, traced, described, path, chosen.build())
    parity = {path.name: difference for path, difference in differences.items()}
    replace_text(folder / f"{NAME}.json", json.dumps({**described, "differences": parity}, indent=2))
    return differences


def _write(
    trained: PolicyWithProcessors, traced: Trace, described: Mapping[str, Any], path: Path, form: ExportFormat
) -> float:
    """Write one file aside, compare it, and only then put it in its place."""
    aside = path.with_name(f".{path.name}.tmp")
    try:
        form.write(traced, described, aside)
        loaded = form.load(aside, [port.name for port in traced.ports])
        sizes = (1, 3) if traced.dynamic else (1, 1)
        difference = check_parity(loaded, trained, traced.ports, sizes, form.label)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return difference

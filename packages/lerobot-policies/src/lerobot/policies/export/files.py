"""Trace, write, compare, measure: a file that does not act like the policy is not kept."""

import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from lerobot.core.durable import replace_text
from lerobot.core.paths import user_path
from lerobot.core.registry import registry
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.export.description import describe
from lerobot.policies.export.format import ExportFormat
from lerobot.policies.export.gains import Report, medians, size_of_weights
from lerobot.policies.export.parity import actions_of, compare, random_observations, require_alike
from lerobot.policies.export.program import Trace, ports_of_policy, require_exportable, require_task, trace
from lerobot.policies.formats import ExportFormatConfig, OnnxConfig, Precision, TorchExportConfig
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
    task: str | None = None,
    max_error: float | None = None,
) -> Mapping[Path, float]:
    """Export a policy with its processors; see `export_files`.

    Returns:
        By file, how much it differs from the policy, as part of the largest action (of 1, if all are smaller).
    """
    reports = export_files(trained, folder, formats=formats, sources=sources, fps=fps, task=task, max_error=max_error)
    return {path: report.difference.relative for path, report in reports.items()}


def export_files(
    trained: PolicyWithProcessors,
    folder: Path,
    *,
    formats: Sequence[ExportFormatConfig | str],
    sources: list[Described] | None = None,
    fps: float | None = None,
    task: str | None = None,
    max_error: float | None = None,
) -> Mapping[Path, Report]:
    """Export a policy with its processors, and say what each file costs and gains.

    Args:
        trained: the policy, on the CPU.
        folder: where the files and `policy.json` are put; created if need be.
        formats: kinds of files, or their names.
        sources: who names joints and units; see `describe`.
        fps: actions per second.
        task: what a policy that reads its task is told.
        max_error: largest error of any number of an action, in the robot's units, with which a file of less than
            float32 is kept; None for what its kind allows.

    Returns:
        By file.

    Raises:
        LeRobotError: the policy does not offer it or cannot be traced, or a file does not act like it and is not kept.
    """
    folder = user_path(folder)
    require_exportable(trained.policy)
    require_task(trained.processors, task)
    examples = random_observations(trained, ports_of_policy(trained.policy), size=2, seed=0)
    # What the policy itself cannot do is said by it, not by the tracer.
    chunk = actions_of(trained, examples, task=task).shape[1:]
    traces: dict[Precision, Trace] = {}
    reports: dict[Path, Report] = {}
    for each in formats:
        chosen = registry.config_class("export_format", each)() if isinstance(each, str) else each
        if chosen.precision not in traces:
            tensors = {key: torch.from_numpy(value) for key, value in examples.items()}
            traces[chosen.precision] = trace(trained, tensors, task=task, precision=chosen.precision)
            if not traces[chosen.precision].dynamic:
                log.warning("the policy takes one observation at a time only: it cannot be traced for any batch size")
        traced = traces[chosen.precision]
        if max(chosen.batches) == 1:
            traced = replace(traced, dynamic=False)
        described = describe(trained.policy.config, traced, chunk, sources or [], fps, task)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / chosen.file_name
        reports[path] = _write(trained, traced, described, path, chosen, task, max_error)
        found = {
            "differences": {path.name: report.difference.relative for path, report in reports.items()},
            "files": {path.name: report.as_json() for path, report in reports.items()},
        }
        replace_text(folder / f"{NAME}.json", json.dumps({**described, **found}, indent=2))
    return reports


def _write(
    trained: PolicyWithProcessors,
    traced: Trace,
    described: Mapping[str, Any],
    path: Path,
    chosen: ExportFormatConfig,
    task: str | None,
    max_error: float | None,
) -> Report:
    """Write one file aside, compare and measure it, and only then put it in its place."""
    form: ExportFormat = chosen.build()
    with _aside(path) as aside:
        form.write(traced, described, aside)
        run = form.load(aside, [port.name for port in traced.ports])
        sizes = chosen.batches if traced.dynamic else (1, 1)
        difference = compare(run, trained, traced.ports, sizes, form.label, task)
        allowed = None if chosen.is_exact else max_error
        require_alike(difference, form.label, tolerance=chosen.tolerance, max_error=allowed)
        one = random_observations(trained, traced.ports, 1, seed=0)
        seconds, policy_seconds = medians(partial(run, one), partial(actions_of, trained, one, task=task))
        size = sum(each.stat().st_size for each in aside.parent.iterdir())
        with aside.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return Report(
        kind=chosen.type,
        options=chosen.model_dump(mode="json", exclude={"type"}),
        difference=difference,
        size=size,
        sha256=sha256,
        weights=size_of_weights(trained.policy),
        seconds=seconds,
        policy_seconds=policy_seconds,
    )


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """A file of the same name in a folder of its own; at the end it is put in its place, the files beside it first."""
    folder = path.with_name(f".{path.name}.tmp")
    folder.mkdir(exist_ok=True)
    aside = folder / path.name
    try:
        yield aside
        for each in sorted(folder.iterdir(), key=lambda each: each == aside):
            each.replace(path.with_name(each.name))
    finally:
        shutil.rmtree(folder)

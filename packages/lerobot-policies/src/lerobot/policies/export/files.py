"""`lerobot export`: load, trace, write, compare; a file that does not act like the policy is not kept."""

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
import typer

from lerobot.core.durable import replace_text
from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.commands.export import ExportConfig
from lerobot.policies.describing import Described, describe_dataset, describe_robot
from lerobot.policies.exporting.description import describe
from lerobot.policies.exporting.formats import FORMATS, require_format
from lerobot.policies.exporting.parity import actions_of, check_parity, random_observations
from lerobot.policies.exporting.program import Trace, ports_of, require_exportable, trace
from lerobot.policies.making import PolicyWithProcessors
from lerobot.policies.preflight import check_policy, check_same

log = logging.getLogger(__name__)

NAME = "policy"


def run(config: ExportConfig) -> None:
    """Run the command.

    Args:
        config: validated configuration.

    Raises:
        CheckpointError: the policy is incomplete or damaged.
        FeatureMismatchError: policy, robot and dataset do not fit.
        LeRobotError: the policy cannot be exported, the result differs from it, or a package is missing.
    """
    for name in config.formats:
        require_format(name)
    dataset = describe_dataset(config.dataset) if config.dataset is not None else None
    robot = describe_robot(config.robot) if config.robot is not None else None
    _require_fit(config, dataset, robot)
    on_cpu = config.policy.model_copy(update={"device": "cpu"})
    trained = PolicyWithProcessors.from_pretrained(
        str(config.policy.pretrained_path), config=on_cpu, revision=config.policy.pretrained_revision
    )
    fps = config.fps if config.fps is not None or dataset is None else dataset.fps
    folder = config.output_dir or _folder(config, datetime.now())
    written = export(
        trained, folder, formats=config.formats, sources=[each for each in (robot, dataset) if each], fps=fps
    )
    for path, difference in written.items():
        typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB, differs from the policy by {difference:.1e}")
    typer.echo(f"{folder / NAME}.json: what it takes and gives")


def _require_fit(config: ExportConfig, dataset: Described | None, robot: Described | None) -> None:
    problems = [problem for source in (dataset, robot) if source for problem in check_policy(config.policy, source, {})]
    if dataset is not None and robot is not None:
        problems += check_same(dataset, robot)
    if problems:
        raise FeatureMismatchError("\n".join(problems), hint="The names would be those of something else.")


def _folder(config: ExportConfig, now: datetime) -> Path:
    return Path("outputs/export") / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}_{config.policy.type}"


def export(
    trained: PolicyWithProcessors,
    folder: Path,
    *,
    formats: tuple[str, ...] = tuple(FORMATS),
    sources: list[Described] | None = None,
    fps: float | None = None,
) -> Mapping[Path, float]:
    """Export a policy with its processors.

    Args:
        trained: the policy, on the CPU.
        folder: where `policy.onnx`, `policy.pt2` and `policy.json` are put; created if need be.
        formats: which of `FORMATS`.
        sources: who names joints and units; see `describe`.
        fps: actions per second.

    Returns:
        By file, how much it differs from the policy; see `check_parity`.

    Raises:
        LeRobotError: the policy does not offer it or cannot be traced, or a file does not act like it and is not kept.
    """
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
    differences = {
        folder / f"{NAME}.{name}": _write(trained, traced, described, folder / f"{NAME}.{name}", name)
        for name in formats
    }
    parity = {path.name: difference for path, difference in differences.items()}
    replace_text(folder / f"{NAME}.json", json.dumps({**described, "differences": parity}, indent=2))
    return differences


def _write(trained: PolicyWithProcessors, traced: Trace, described: Mapping[str, Any], path: Path, name: str) -> float:
    """Write one file aside, compare it, and only then put it in its place."""
    aside = path.with_name(f".{path.name}.tmp")
    form = FORMATS[name]
    try:
        form.write(traced, described, aside)
        loaded = form.load(aside, [port.name for port in traced.ports])
        sizes = (1, 3) if traced.dynamic else (1, 1)
        difference = check_parity(loaded, trained, traced.ports, sizes, form.label)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return difference

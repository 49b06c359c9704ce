"""What trainings and evaluations leave on disk. It is read anew for every page: nothing here remembers anything."""

import csv
import json
import math
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot.core.json_file import read_json
from lerobot.core.paths import hf_home, user_path

METRICS, REPORT, EPISODES, TABLE = "metrics.csv", "eval_info.json", "episodes.jsonl", "success.md"
_INSIDE = re.compile(r"checkpoints|videos.*|tensorboard|wandb|captured_images|\..*")
"""Folders of a run, which hold no further runs."""
_DEEPEST = 6
"""Folders below the place that is searched."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A saved policy of a training.

    Attributes:
        name: its folder's name: the step.
        folder: what `--policy.path` takes.
        marks: `last`, `best`.
    """

    name: str
    folder: Path
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Film:
    """A filmed episode.

    Attributes:
        path: the file.
        title: which episode of what.
        success: whether it succeeded; None if that is not known.
    """

    path: Path
    title: str
    success: bool | None = None


@dataclass(frozen=True, slots=True)
class Training:
    """A folder of `lerobot train`.

    Attributes:
        folder: the folder.
        policy: its type; empty until there is a checkpoint.
        dataset: what it learns from; likewise.
        steps: how many it is to make; likewise 0.
        checkpoints: the newest first.
        changed_s: when it last wrote a measurement or a checkpoint, seconds since 1970.
    """

    folder: Path
    policy: str
    dataset: str
    steps: int
    checkpoints: list[Checkpoint]
    changed_s: float

    @property
    def resumption(self) -> Path | None:
        """What `--config_path` takes to go on; None if there is nothing to go on from."""
        return self.checkpoints[0].folder / "train_config.json" if self.checkpoints else None

    def curves(self) -> dict[str, list[float | None]]:
        """Every measurement by its name, one value per row of `metrics.csv`; None where a row has none."""
        try:
            with (self.folder / METRICS).open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
        except FileNotFoundError:
            return {}
        return {key: [_number(row[key]) for row in rows] for key in (rows[0] if rows else ()) if key}

    def films(self) -> list[Film]:
        """Films of the evaluations, the newest step first."""
        folders = sorted((self.folder / "eval").glob("videos_step_*"), reverse=True)
        return [
            Film(path, f"step {folder.name.removeprefix('videos_step_')}, {_title(path, folder)}")
            for folder in folders
            for path in _in_order(folder.rglob("*.mp4"))
        ]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A folder of `lerobot eval`, or of one of the policies that one compared.

    Attributes:
        folder: the folder.
        policy: which policy: where it was saved, or its type.
        place: the environment or robot it played in.
        kept: episodes that are on the disk.
        overall: counts, rate and interval of the report; empty until it is complete.
        tasks: the same by task.
        compared: folder of the evaluation that compares this policy with others; None if it stands alone.
    """

    folder: Path
    policy: str
    place: str
    kept: int
    overall: dict[str, Any]
    tasks: list[dict[str, Any]]
    compared: Path | None

    def films(self) -> list[Film]:
        """Films of its episodes."""
        successes = [each for task in self.tasks for each in task.get("metrics", {}).get("successes", [])]
        found = []
        for path in _in_order(self.folder.rglob("*.mp4")):
            number = re.search(r"(\d+)$", path.stem)
            known = number and len(self.tasks) == 1 and "seed_" not in str(path) and int(number[1]) < len(successes)
            found.append(Film(path, _title(path, self.folder), successes[int(number[1])] if number and known else None))
        return found


def trainings(places: Iterable[Path]) -> list[Training]:
    """Every training below some folders, the newest first."""
    found = (_training(folder) for folder, names in _walk(places) if names & {METRICS, "checkpoints"})
    return sorted(found, key=lambda training: -training.changed_s)


def evaluations(places: Iterable[Path]) -> list[Evaluation]:
    """Every evaluation below some folders, the newest first, those of one comparison together."""
    found = [_evaluation(folder) for folder, names in _walk(places) if names & {REPORT, EPISODES}]
    # What one policy played from several seeds is counted in the report above it.
    found = [each for each in found if not (each.folder.parent / REPORT).exists()]
    return sorted(found, key=lambda each: (-(each.compared or each.folder).stat().st_mtime, each.folder))


def policies(places: Iterable[Path]) -> list[tuple[str, str]]:
    """What `--policy.path` can take, with what it is: checkpoints of trainings, and policies in the Hub's cache."""
    saved = [
        (str(each.folder), f"{training.policy} on {training.dataset}, step {each.name}")
        for training in trainings(places)
        for each in training.checkpoints
    ]
    cache = user_path(os.environ.get("HF_HUB_CACHE") or hf_home() / "hub")
    downloaded = {}
    for config in sorted(cache.glob("models--*--*/snapshots/*/config.json")):
        name = config.parents[2].name.removeprefix("models--").replace("--", "/")
        if isinstance(kind := _fields(config).get("type"), str):
            downloaded[name] = f"{kind}, from the Hub"
    return [*saved, *downloaded.items()]


def _walk(places: Iterable[Path]) -> Iterator[tuple[Path, set[str]]]:
    """Folders with the names in them; each once, and not what lies inside a run."""
    seen = set()
    for place in places:
        top = user_path(place).absolute()
        for folder, folders, files in os.walk(top):
            path = Path(folder)
            if path in seen:
                folders.clear()
                continue
            seen.add(path)
            names = {*folders, *files}
            yield path, names
            is_deep = len(path.relative_to(top).parts) >= _DEEPEST
            films = {"eval"} if names & {METRICS, "checkpoints"} else set()
            folders[:] = [] if is_deep else [name for name in folders if not _INSIDE.fullmatch(name)]
            folders[:] = sorted({*folders} - films)


def _training(folder: Path) -> Training:
    place = folder / "checkpoints"
    marks: dict[str, tuple[str, ...]] = {}
    for mark in ("last", "best"):
        if (target := place / mark).is_dir():
            name = target.resolve().name
            marks[name] = (*marks.get(name, ()), mark)
    saved = [path.parent for path in place.glob("*/pretrained_model/config.json") if path.parents[1].name.isdigit()]
    saved.sort(key=lambda path: int(path.parent.name), reverse=True)
    checkpoints = [Checkpoint(path.parent.name, path, marks.get(path.parent.name, ())) for path in saved]
    settings = _fields(saved[0] / "train_config.json") if saved else {}
    policy, dataset = _fields(settings.get("policy")), _fields(settings.get("dataset"))
    times = [path.stat().st_mtime for path in (folder / METRICS, place, folder) if path.exists()]
    steps = settings.get("steps")
    return Training(
        folder,
        str(policy.get("type", "")),
        str(dataset.get("repo_id", "")),
        steps if isinstance(steps, int) else 0,
        checkpoints,
        max(times),
    )


def _evaluation(folder: Path) -> Evaluation:
    report = _fields(folder / REPORT)
    settings, kept = _journal(folder / EPISODES)
    policy, place = _fields(settings.get("policy")), _fields(settings.get("env") or settings.get("robot"))
    task = f" {place['task']}" if place.get("task") else ""
    per_task = report.get("per_task")
    overall = _fields(report.get("overall"))
    return Evaluation(
        folder,
        _policy_name(settings.get("pretrained_path") or policy.get("pretrained_path") or policy.get("type"), folder),
        f"{place.get('type', '')}{task}",
        overall.get("n", kept),
        overall,
        [task for task in per_task if isinstance(task, dict)] if isinstance(per_task, list) else [],
        folder.parent if (folder.parent / TABLE).exists() else None,
    )


def _policy_name(origin: object, folder: Path) -> str:
    """Where a policy is saved, as a person would say it in this folder."""
    return str(origin or folder.name).removeprefix(f"{Path.cwd()}{os.sep}").removesuffix("/pretrained_model")


def _journal(path: Path) -> tuple[dict[str, Any], int]:
    """Settings of an evaluation and how many episodes it kept; of several seeds, the first one's settings and all."""
    settings: dict[str, Any] = {}
    kept: set[tuple[Path, Any, Any, Any]] = set()
    for file in [path] if path.exists() else sorted(path.parent.glob(f"seed_*/{path.name}")):
        # The last line may be in the making.
        lines = file.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
        try:
            first, *entries = [json.loads(line) for line in lines] or [{}]
            settings = settings or first
            for entry in entries:
                episode = (file, entry["task_group"], entry["task_id"], entry["index"])
                (kept.discard if entry.get("taken_back") else kept.add)(episode)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return _fields(settings), len(kept)


def _fields(value: Any) -> dict[str, Any]:
    """A table of a file or its contents; empty for whatever is none: one damaged run must not hide the others."""
    if isinstance(value, Path):
        try:
            value = read_json(value)
        except (OSError, ValueError):
            return {}
    return value if isinstance(value, dict) else {}


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _in_order(paths: Iterable[Path]) -> list[Path]:
    """By folder, and by number within: episode 10 after episode 9."""
    return sorted(paths, key=lambda path: (path.parent, len(path.name), path.name))


def _title(film: Path, folder: Path) -> str:
    words = str(film.relative_to(folder).with_suffix("")).replace("/", ", ").replace("_", " ")
    return words.removeprefix("videos, ").replace("eval episode", "episode")

"""What was done, kept as it is done, so that what was interrupted goes on: a file of entries, and one of episodes."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, TextIO

from lerobot.core.durable import replace_text
from lerobot.core.errors import LeRobotError
from lerobot.envs.report import Episode

NAME = "episodes.jsonl"
"""File in the folder of an evaluation: its settings in the first line, then an episode a line."""


class Journal:
    """A file: settings in its first line, then an entry a line; an entry is on the disk when it is added.

    Args:
        path: the file, made with the first entry: what is refused before leaves nothing behind.
        settings: everything that decides what the entries are, as JSON has it.
        resume: take over the entries that are there; otherwise the file is begun anew.

    Raises:
        LeRobotError: there is nothing to resume, or it was made with other settings.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], *, resume: bool = False) -> None:
        lines = [json.dumps(settings)]
        if resume:
            # The last line is whole or was being written when the program was killed.
            lines = _read(path).split("\n")[:-1]
            require_same(json.loads(lines[0]) if lines else {}, dict(json.loads(json.dumps(settings))), path)
        self.entries: list[dict[str, Any]] = [json.loads(line) for line in lines[1:]]
        """What is kept, the oldest first."""
        self._path = path
        self._first_lines = lines
        self._file: TextIO | None = None

    def add(self, entry: Mapping[str, Any]) -> None:
        """Keep an entry."""
        file = self._file or self._begun()
        file.write(json.dumps(entry) + "\n")
        file.flush()
        os.fsync(file.fileno())
        self.entries.append(dict(entry))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _begun(self) -> TextIO:
        replace_text(self._path, "".join(f"{line}\n" for line in self._first_lines))
        self._file = self._path.open("a", encoding="utf-8")
        return self._file


class EpisodeJournal:
    """Keeps every episode of an evaluation that ended; what is added is on the disk when `add` returns.

    Args:
        folder: folder of the evaluation.
        settings: everything that decides how an episode goes, as JSON has it.
        resume: take over the episodes that are there; otherwise the file is begun anew.

    Raises:
        LeRobotError: see `Journal`.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], *, resume: bool = False) -> None:
        self._journal = Journal(folder / NAME, settings, resume=resume)
        self._episodes: dict[tuple[str, int], dict[int, Episode]] = {}
        self._descriptions: dict[tuple[str, int], str] = {}
        for entry in self._journal.entries:
            self._take(entry)

    def episodes(self, group: str, task_id: int) -> dict[int, Episode]:
        """The episodes of a task that ended, by index."""
        return dict(self._episodes.get((group, task_id), {}))

    def description(self, group: str, task_id: int) -> str:
        """A task in words; empty if none of its episodes ended."""
        return self._descriptions.get((group, task_id), "")

    def add(self, group: str, task_id: int, description: str, episode: Episode) -> None:
        """Keep an episode; one of the same number takes the place of the earlier one."""
        entry: dict[str, Any] = {
            "task_group": group,
            "task_id": task_id,
            "task": description,
            **episode.to_json(),
        }
        self._write(entry)

    def take_back(self, group: str, task_id: int, index: int) -> None:
        """Forget an episode that was kept, so that it is played again."""
        self._write({"task_group": group, "task_id": task_id, "index": index, "taken_back": True})

    def _write(self, entry: dict[str, Any]) -> None:
        self._journal.add(entry)
        self._take(entry)

    def close(self) -> None:
        """Close the file."""
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _take(self, entry: dict[str, Any]) -> None:
        task = (str(entry["task_group"]), int(entry["task_id"]))
        if entry.get("taken_back"):
            self._episodes.get(task, {}).pop(entry["index"], None)
            return
        episode = Episode.from_json(entry, None if entry["video"] is None else Path(entry["video"]))
        self._episodes.setdefault(task, {})[episode.index] = episode
        self._descriptions[task] = str(entry["task"])


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise LeRobotError(
            f"{path} does not exist, so there is nothing to resume", hint="Begin anew: leave --resume out."
        ) from error


def require_same(before: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> None:
    """Refuse to go on with what was made with other settings.

    Args:
        before: settings as JSON has them.
        now: likewise.
        path: what was made.

    Raises:
        LeRobotError: they differ; names the first difference.
    """
    first, second = dict(_leaves(before)), dict(_leaves(now))
    for name in sorted(first.keys() | second.keys()):
        if first.get(name) != second.get(name):
            raise LeRobotError(
                f"{path} was made with {name} {first.get(name)!r}, and now it is {second.get(name)!r}",
                expected="the same settings, or another --output_dir",
            )


def _leaves(value: Mapping[str, Any], path: str = "") -> list[tuple[str, Any]]:
    return [
        leaf
        for key, each in value.items()
        for leaf in (_leaves(each, f"{path}{key}.") if isinstance(each, dict) and each else [(f"{path}{key}", each)])
    ]

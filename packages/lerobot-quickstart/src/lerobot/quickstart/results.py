"""What the commands of the quickstart left behind, in figures."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot.core.errors import LeRobotError
from lerobot.core.json_file import read_json
from lerobot.core.words import counted


@dataclass(frozen=True, slots=True)
class Score:
    """How a policy did.

    Attributes:
        successes: episodes it solved.
        episodes: episodes it played.
        interval: 95 % Wilson interval of the success rate, percent.
        videos: files of some of them.
    """

    successes: int
    episodes: int
    interval: tuple[float, float]
    videos: tuple[Path, ...]

    @property
    def percent(self) -> float:
        """Success rate."""
        return 100 * self.successes / self.episodes

    def __str__(self) -> str:
        """The score in a line."""
        low, high = self.interval
        return (
            f"{self.percent:.0f} % ({self.successes} of {counted(self.episodes, 'episode')}; "
            f"95 % interval {low:.0f} to {high:.0f} %)"
        )


def score(folder: Path) -> Score:
    """Read the report of `lerobot eval`.

    Raises:
        LeRobotError: it is missing or is none.
    """
    path = folder / "eval_info.json"
    try:
        overall: dict[str, Any] = read_json(path)["overall"]
        low, high = overall["pc_success_interval_95"]
        # Paths are those of the run; the folder may have been moved since.
        videos = tuple(sorted(folder.glob("videos/**/*.mp4"), key=_number))
        return Score(int(overall["n_success"]), int(overall["n"]), (float(low), float(high)), videos)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LeRobotError(
            f"{path} is no report of an evaluation: {error}", hint=f"Delete {folder} and start again."
        ) from error


def _number(video: Path) -> int:
    return int("".join(filter(str.isdigit, video.stem)) or 0)


def losses(run: Path) -> list[tuple[int, float]]:
    """Steps and losses of a training run, in order; of a step that was run twice, the later."""
    found: dict[int, float] = {}
    try:
        with (run / "metrics.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row.get("step") and row.get("loss"):
                    found[int(row["step"])] = float(row["loss"])
    except (OSError, ValueError):
        # Not begun, or the last line is being written.
        return sorted(found.items())
    return sorted(found.items())


def steps_trained(run: Path) -> int:
    """How far a training run has come, in steps."""
    return max((step for step, _ in losses(run)), default=0)


def steps_saved(run: Path) -> int:
    """The step of a training run's newest checkpoint; 0 if there is none."""
    last = run / "checkpoints" / "last"
    return int(last.resolve().name) if last.exists() and last.resolve().name.isdecimal() else 0


def episodes_recorded(data: Path) -> int:
    """How many episodes a dataset has; 0 if there is none."""
    try:
        return int(read_json(data / "meta" / "info.json")["total_episodes"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0

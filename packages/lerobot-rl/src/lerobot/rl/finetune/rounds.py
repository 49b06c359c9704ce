"""How far a run is: which policies were judged, how they did, and which is the best."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from lerobot.envs.journal import Journal
from lerobot.envs.report import wilson_interval

NAME = "rounds.jsonl"


@dataclass(frozen=True, slots=True)
class Round:
    """One policy that was judged.

    Attributes:
        number: 0 for the policy as it came.
        policy: its folder, or its repository; of one of this run its folder within that of the run.
        successes: episodes that succeeded.
        episodes: episodes it was judged by.
        kept: it is the best so far, so that the next round begins from it.
    """

    number: int
    policy: str
    successes: int
    episodes: int
    kept: bool

    def __str__(self) -> str:
        """Success in words, with its interval of 95 %."""
        low, high = wilson_interval(self.successes, self.episodes)
        return f"{self.successes} of {self.episodes} ({100 * low:.0f} to {100 * high:.0f} %)"


class Rounds:
    """The rounds of a run, each on the disk when it is added.

    Args:
        folder: of the run.
        settings: everything that decides how they go, as JSON has it.
        resume: take over those that are there.

    Raises:
        LeRobotError: there is nothing to resume, or it was made with other settings.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], *, resume: bool) -> None:
        self._journal = Journal(folder / NAME, settings, resume=resume)
        self._rounds = [Round(**entry) for entry in self._journal.entries]

    def __len__(self) -> int:
        """Number of rounds that are done, the one of the policy as it came included."""
        return len(self._rounds)

    @property
    def first(self) -> Round:
        """The policy as it came."""
        return self._rounds[0]

    @property
    def best(self) -> Round:
        """The newest that was kept."""
        return next(each for each in reversed(self._rounds) if each.kept)

    def judge(self, policy: str, successes: int, episodes: int) -> Round:
        """Take note of how a policy did; it is kept unless it succeeds less often than the best."""
        kept = not self._rounds or successes * self.best.episodes >= self.best.successes * episodes
        found = Round(len(self._rounds), policy, successes, episodes, kept)
        self._journal.add(asdict(found))
        self._rounds.append(found)
        return found

    def close(self) -> None:
        """Close the file."""
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

"""What is known of the episodes on a robot: kept one by one, and counted."""

from typing import Any

from lerobot.core.words import counted
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.envs.journal import EpisodeJournal
from lerobot.envs.report import Episode, TaskResult, report
from lerobot.envs.trials.trial import Attempt
from lerobot.envs.trials.wishes import Wish


class Tally:
    """The episodes that were judged, of this run and of the one that is resumed.

    Args:
        config: of the command, with a robot.
        journal: keeps them.
    """

    def __init__(self, config: EvalPipelineConfig, journal: EpisodeJournal) -> None:
        self._group = "robot" if config.robot is None else config.robot.type
        self._task = config.task
        self._fps = config.fps
        self._wanted = config.eval.n_episodes
        self._journal = journal

    @property
    def episodes(self) -> list[Episode]:
        """Those that were judged, by index."""
        kept = self._journal.episodes(self._group, 0)
        return [kept[index] for index in sorted(kept) if index < self._wanted]

    @property
    def missing(self) -> list[int]:
        """Numbers of those that are still to be played."""
        kept = {episode.index for episode in self.episodes}
        return [index for index in range(self._wanted) if index not in kept]

    def add(self, played: Attempt) -> str:
        """Keep an episode that was judged, or judged anew.

        Returns:
            What to say about it, a line.
        """
        success = played.verdict is Wish.SUCCESS
        unknown = played.verdict is Wish.UNKNOWN
        # The reward of a robot is that its task is solved.
        reward = float(success)
        episode = Episode(played.index, played.index, success, reward, reward, played.steps, unknown=unknown)
        self._journal.add(self._group, 0, self._task, episode)
        solved = sum(each.success for each in self.episodes)
        return (
            f"Episode {played.index}: {played.verdict} after {played.steps / self._fps:.1f} s; "
            f"success in {solved} of {counted(len(self.episodes), 'episode')} so far."
        )

    def take_back(self, played: Attempt) -> None:
        """Forget an episode that is to be played again."""
        if played.verdict is not None:
            self._journal.take_back(self._group, 0, played.index)

    def results(self, seconds: float) -> dict[str, Any]:
        """See `report`; at least one episode was judged."""
        return report([TaskResult(self._group, 0, self.episodes, self._task)], seconds=seconds)

"""What a consumer holds while it streams: rows of the episodes in its pool, and the files they need."""

from collections.abc import Iterable, Sequence

from lerobot.datasets.format.episodes import Episodes
from lerobot.datasets.format.info import Info
from lerobot.datasets.hub.pull import episode_files
from lerobot.datasets.stream.files import EpisodeFiles
from lerobot.datasets.stream.rows import ResidentRows


class EpisodeStore:
    """Keeps rows and files in step with the pool.

    Args:
        info: declarations of the dataset.
        episodes: its episodes.
        rows: rows of the resident episodes.
        files: where files come from.
    """

    def __init__(self, info: Info, episodes: Episodes, rows: ResidentRows, files: EpisodeFiles) -> None:
        self._info = info
        self._episodes = episodes
        self._rows = rows
        self._files = files
        self._wanted: dict[int, tuple[str, list[str]]] = {}
        self.resident: list[int] = []

    def hold(self, resident: Sequence[int], upcoming: Iterable[int], first: int) -> None:
        """Make the resident episodes' files the ones that are held; those of upcoming ones begin to come.

        Args:
            resident: episodes in the pool.
            upcoming: those that come next.
            first: the resident one that is needed at once, so that its files come before the others'.
        """
        self.resident = list(resident)
        wanted = list(dict.fromkeys([first, *resident, *upcoming]))
        # First what is new, so that a file which both an old and a new episode are in stays.
        for episode in wanted:
            if episode not in self._wanted:
                data, *videos = episode_files(self._info, self._episodes, [episode])
                self._wanted[episode] = data, videos
                self._files.want([data, *videos])
        for episode in set(self._rows.resident) - set(resident):
            self._rows.retire(episode)
        for episode in set(self._wanted) - set(wanted):
            data, videos = self._wanted.pop(episode)
            self._files.release([data, *videos])

    def prepare(self, episode: int) -> None:
        """Return when the files of a resident episode are there and its rows are read; others are not waited for.

        Raises:
            DatasetError: one could not be fetched, or rows cannot be read; names it.
        """
        data, videos = self._wanted[episode]
        self._files.wait([data, *videos])
        if episode not in self._rows.resident:
            self._rows.admit(episode, self._files.root / data)

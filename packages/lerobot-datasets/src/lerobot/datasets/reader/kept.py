"""Images of videos that stay in memory: small datasets are read many times over."""

from collections.abc import Iterable
from typing import Any

from lerobot.datasets.reader.images import EpisodeVideos
from lerobot.datasets.video.decode import Image


class KeptVideos(EpisodeVideos):
    """Decodes an episode whole when one of its images is first asked for, and keeps it.

    Nothing is kept across pickling: each worker of a loader would keep its own. Arguments as `EpisodeVideos`.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._kept: dict[str, dict[tuple[int, int], Image]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """A copy in another process starts with nothing."""
        return {**self.__dict__, "_kept": {}}

    def read(self, key: str, rows: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Image]:
        """See `EpisodeVideos.read`; later calls must not write into the images."""
        wanted = set(rows)
        kept = self._kept.setdefault(key, {})
        for episode in {row[0] for row in wanted - kept.keys()}:
            length = int(self._episodes.column("length")[episode])
            kept.update(super().read(key, [(episode, frame) for frame in range(length)]))
        return {row: kept[row] for row in wanted}

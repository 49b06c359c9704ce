"""Video files of the result: taken as they are, cut and joined without decoding, or encoded anew where asked."""

import itertools
import logging
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lerobot.core.durable import link
from lerobot.core.errors import DatasetError
from lerobot.core.signals import check_stop
from lerobot.dataset_tools.edit.images import SourceImages, encode_episode
from lerobot.dataset_tools.edit.places import numbering
from lerobot.dataset_tools.edit.plan import EditPlan, Selection
from lerobot.datasets.format.layout import MEGABYTE
from lerobot.datasets.reader.images import EpisodeVideos
from lerobot.datasets.reader.source import EditSource
from lerobot.datasets.video.cut import copy_ranges, copyable, encode_range
from lerobot.datasets.video.encoder_config import RGBEncoderConfig
from lerobot.datasets.video.join import join_videos, runs, video_signature
from lerobot.datasets.writer.compaction import FilePosition

logger = logging.getLogger(__name__)

Times = tuple[float, float]
"""When an episode's first image is shown in its file and when its last one ends, seconds."""


@dataclass(frozen=True, slots=True)
class Clip:
    """An episode's images: their file, and when they begin and end in it, in seconds."""

    place: FilePosition
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class _Piece:
    """A whole video file, not yet in its place.

    Attributes:
        path: the file.
        times: per episode of the result, its times in this file.
        origin: the source's file that it is or was made from.
    """

    path: Path
    times: dict[int, Times]
    origin: Path

    @property
    def is_draft(self) -> bool:
        """Whether it was made here and can be moved."""
        return self.path != self.origin


def write_videos(plan: EditPlan, folder: Path, key: str, drafts: Path) -> list[Clip]:
    """Write the video files of one camera.

    Args:
        plan: the result.
        folder: its folder.
        key: the camera.
        drafts: an empty folder on the same file system.

    Returns:
        Where each episode's images are.

    Raises:
        DatasetError: a source is missing or damaged, or an encoder failed.
        OSError: the disk is full.
    """
    pieces = list(_Pieces(plan, key, drafts))
    # Drafts of one file are joined again; whole files stay themselves unless joining is asked for.
    signatures = [
        (video_signature(p.path) if p.is_draft or plan.join_videos else p.path, None if plan.join_videos else p.origin)
        for p in pieces
    ]
    limit = plan.info.video_files_size_in_mb * MEGABYTE
    groups = runs([piece.path.stat().st_size for piece in pieces], limit, signatures)
    clips: dict[int, Clip] = {}
    for place, group in zip(numbering(plan.info.chunks_size), groups, strict=False):
        check_stop()
        members = [pieces[i] for i in group]
        target = folder / plan.info.video_file(key, *place)
        target.parent.mkdir(parents=True, exist_ok=True)
        for offset, piece in zip(_put(members, target), members, strict=True):
            clips |= {number: Clip(place, offset + begin, offset + end) for number, (begin, end) in piece.times.items()}
    return [clips[number] for number in sorted(clips)]


def _put(members: list[_Piece], target: Path) -> list[float]:
    """Make one file of whole ones; the second at which each begins in it."""
    if len(members) == 1:
        (shutil.move if members[0].is_draft else link)(members[0].path, target)
        return [0.0]
    begins = join_videos([piece.path for piece in members], target)
    for piece in members:
        if piece.is_draft:
            piece.path.unlink()
    return begins


class _Pieces:
    """The files a camera's result is made of, in order of the sources' files."""

    def __init__(self, plan: EditPlan, key: str, drafts: Path) -> None:
        self._plan = plan
        self._key = plan.stored(key)
        self._encoder = plan.encoders.get(key)
        self._drafts = (drafts / f"{number}.mp4" for number in itertools.count())

    def __iter__(self) -> Iterator[_Piece]:
        first = 0
        for selection in self._plan.selections:
            numbers = dict(zip(selection.episodes.tolist(), itertools.count(first), strict=False))
            first += len(numbers)
            yield from (
                self._encoded(selection.source, numbers, self._encoder)
                if self._encoder
                else self._stored(selection, numbers)
            )

    def _encoded(self, source: EditSource, numbers: Mapping[int, int], config: RGBEncoderConfig) -> Iterator[_Piece]:
        threads = self._plan.encoder_threads
        with SourceImages(source) as images:
            for episode, number in numbers.items():
                path = next(self._drafts)
                seconds = encode_episode(images, episode, self._key, config, path, threads=threads)
                yield _Piece(path, {number: (0.0, seconds)}, source.root)

    def _stored(self, selection: Selection, numbers: Mapping[int, int]) -> Iterator[_Piece]:
        source, frames = selection.source, selection.kept
        is_whole = frames.ends - frames.begins == source.episodes.column("length")
        videos = EpisodeVideos(source.root, source.info, source.episodes, tolerance_s=1e-4)
        files: dict[Path, list[int]] = {}
        for episode in range(len(source.episodes)):
            files.setdefault(videos.path(self._key, episode), []).append(episode)
        try:
            for path, episodes in files.items():
                check_stop()
                kept = [episode for episode in episodes if episode in numbers]
                if kept and not path.exists():
                    raise DatasetError(f"{path} is missing, with the images of its episodes")
                if is_whole[episodes].all():
                    times = {numbers[e]: _times(source, videos, self._key, e) for e in kept}
                    yield _Piece(path, times, path)
                elif kept:
                    trimmed = {e: (frames.begins[e], frames.ends[e]) for e in kept if not is_whole[e]}
                    yield from self._cut(videos, path, kept, numbers, trimmed)
        finally:
            videos.close()

    def _cut(
        self,
        videos: EpisodeVideos,
        path: Path,
        kept: list[int],
        numbers: Mapping[int, int],
        trimmed: Mapping[int, tuple[int, int]],
    ) -> Iterator[_Piece]:
        spans = {episode: videos.span(self._key, episode) for episode in kept}
        for episode, (begin, end) in trimmed.items():
            first, stop = spans[episode]
            spans[episode] = first + int(begin), min(first + int(end), stop)
        kept = sorted(kept, key=spans.__getitem__)
        if empty := [episode for episode in kept if spans[episode][0] >= spans[episode][1]]:
            raise DatasetError(f"{path} has no image of episode {empty[0]}", hint="delete this episode as well")
        table = videos.table(self._key, kept[0])
        flags = dict(zip(kept, copyable(path, table, [spans[e] for e in kept]), strict=True))
        for can_copy, run in itertools.groupby(kept, flags.__getitem__):
            members = list(run)
            if can_copy:
                draft = next(self._drafts)
                begins = copy_ranges(path, table, [spans[e] for e in members], draft)
                times = itertools.pairwise(begins)
                yield _Piece(draft, dict(zip((numbers[e] for e in members), times, strict=True)), path)
                continue
            for episode in members:
                draft = next(self._drafts)
                logger.warning(
                    "%s: episode %d cannot be cut at key frames, so it is encoded anew, without loss", path, episode
                )
                yield _Piece(draft, {numbers[episode]: (0.0, encode_range(path, table, spans[episode], draft))}, path)


def _times(source: EditSource, videos: EpisodeVideos, key: str, episode: int) -> Times:
    """When an episode's images are shown; the end as the file has it, where the metadata is half an image off."""
    begin, end = (float(source.episodes.column(f"videos/{key}/{name}_timestamp")[episode]) for name in ("from", "to"))
    try:
        table, (_, stop) = videos.table(key, episode), videos.span(key, episode)
    except DatasetError:
        if source.info.is_legacy:
            raise
        return begin, end  # A file that is damaged stays as it is, as long as nothing has to be cut out of it.
    last = len(table) - 1
    step = (table.time(last) - table.time(0)) / max(last, 1) or 1 / source.info.fps
    if source.info.is_legacy:
        return table.time(0), table.time(last) + step
    found = table.time(stop) if stop <= last else table.time(last) + step
    return begin, end if abs(end - found) < step / 2 else found

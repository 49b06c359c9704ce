"""Video files of the result: taken as they are, cut and joined without decoding, or encoded anew where asked."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lerobot.core.durable import link
from lerobot.core.errors import DatasetError
from lerobot.core.signals import check_stop
from lerobot.dataset_tools.edit.done import DoneParts
from lerobot.dataset_tools.edit.parts import Part, encoding_parts, stored_files
from lerobot.dataset_tools.edit.places import numbering
from lerobot.dataset_tools.edit.plan import EditPlan, Selection
from lerobot.datasets.format.layout import MEGABYTE
from lerobot.datasets.reader.images import EpisodeVideos
from lerobot.datasets.reader.source import EditSource
from lerobot.datasets.video.join import join_videos, runs, video_signature
from lerobot.datasets.writer.compaction import FilePosition

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


def write_videos(plan: EditPlan, folder: Path, key: str, done: DoneParts) -> list[Clip]:
    """Write the video files of one camera.

    Args:
        plan: the result.
        folder: its folder.
        key: the camera.
        done: what was encoded and cut for it.

    Returns:
        Where each episode's images are.

    Raises:
        DatasetError: a source is missing or damaged, or an encoder failed.
        OSError: the disk is full.
    """
    pieces = list(_pieces(plan, key, done))
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
        for offset, piece in zip(_put(members, target, done), members, strict=True):
            clips |= {number: Clip(place, offset + begin, offset + end) for number, (begin, end) in piece.times.items()}
    return [clips[number] for number in sorted(clips)]


def _put(members: list[_Piece], target: Path, done: DoneParts) -> list[float]:
    """Make one file of whole ones; the second at which each begins in it."""
    if len(members) == 1:
        (done.hand_over if members[0].is_draft else link)(members[0].path, target)
        return [0.0]
    begins = join_videos([piece.path for piece in members], target)
    for piece in members:
        if piece.is_draft:
            done.let_go(piece.path)
    return begins


def _pieces(plan: EditPlan, key: str, done: DoneParts) -> Iterator[_Piece]:
    """The files a camera's result is made of, in order of the sources' files."""
    first = 0
    for selection in plan.selections:
        numbers = dict(zip(selection.episodes.tolist(), itertools.count(first), strict=False))
        first += len(numbers)
        if key in plan.encoders:
            parts = encoding_parts(plan, selection, key, done.megabytes)
            drafts = [_drafts(part, numbers, done, selection.source.root) for part in parts]
            # By episode, also where the episodes of a file do not follow each other.
            yield from sorted(itertools.chain.from_iterable(drafts), key=lambda draft: min(draft.times))
        else:
            yield from _stored(plan, selection, key, numbers, done)


def _stored(
    plan: EditPlan, selection: Selection, key: str, numbers: Mapping[int, int], done: DoneParts
) -> Iterator[_Piece]:
    source, camera = selection.source, plan.stored(key)
    videos = EpisodeVideos(source.root, source.info, source.episodes, tolerance_s=1e-4)
    try:
        for (path, kept), part in stored_files(plan, selection, key):
            check_stop()
            if part is None:
                yield _Piece(path, {numbers[e]: _times(source, videos, camera, e) for e in kept}, path)
            else:
                yield from _drafts(part, numbers, done, path)
    finally:
        videos.close()


def _drafts(part: Part, numbers: Mapping[int, int], done: DoneParts, origin: Path) -> Iterator[_Piece]:
    folder, data = done.get(part)
    for name, clips in data["files"]:
        yield _Piece(folder / name, {numbers[episode]: (begin, end) for episode, begin, end in clips}, origin)


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

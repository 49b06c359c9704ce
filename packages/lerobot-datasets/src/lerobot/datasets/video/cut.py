"""Parts of a video file, copied without decoding where they can stand alone and encoded without loss where not."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import av
import av.error

from lerobot.core.errors import DatasetError
from lerobot.core.signals import check_stop
from lerobot.datasets.video.encode import image_count, open_video
from lerobot.datasets.video.frame_table import FrameTable

Range = tuple[int, int]
"""First position and the one after the last."""


def copyable(path: Path, table: FrameTable, ranges: Sequence[Range]) -> list[bool]:
    """Which ranges can be copied: those that begin with a key frame and are stored in one piece, nothing in between.

    Images that refer to others outside their range are stored before or between them, so they break the piece.

    Args:
        path: the file.
        table: its images.
        ranges: neither empty nor overlapping, ascending.

    Raises:
        DatasetError: the file is damaged.
    """
    order: list[list[int]] = [[] for _ in ranges]
    starts_with_key = [False] * len(ranges)
    try:
        with open_video(path) as container:
            number, video = 0, container.streams.video[0]
            begins, stops = _spans(video, table, ranges)
            for packet in container.demux(video):
                if packet.pts is None or not packet.size:
                    continue
                if (found := _find(packet.pts, begins, stops)) is not None:
                    if not order[found]:
                        starts_with_key[found] = packet.is_keyframe and packet.pts == begins[found]
                    order[found].append(number)
                number += 1
    except av.error.FFmpegError as error:
        raise DatasetError(f"{path} cannot be read as a video: {error}") from error
    return [
        is_key and len(numbers) == stop - first and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        for is_key, numbers, (first, stop) in zip(starts_with_key, order, ranges, strict=True)
    ]


def copy_ranges(path: Path, table: FrameTable, ranges: Sequence[Range], target: Path) -> list[float]:
    """Write parts of a file one after another, without decoding an image.

    Args:
        path: the file.
        table: its images.
        ranges: those that are `copyable`, ascending.
        target: file to create.

    Returns:
        Begin of each range in the new file, and the end of the last, seconds.

    Raises:
        DatasetError: the file is damaged, or the result does not hold every image.
    """
    try:
        with open_video(path) as source, av.open(str(target), "w", options={"movflags": "faststart"}) as output:
            video = source.streams.video[0]
            begins, stops = _spans(video, table, ranges)
            targets = list(accumulate((stop - begin for begin, stop in zip(begins, stops, strict=True)), initial=0))
            stream = output.add_stream_from_template(video, opaque=True)
            for packet in source.demux(video):
                check_stop()
                if packet.pts is None or packet.dts is None or not packet.size:
                    continue
                if (found := _find(packet.pts, begins, stops)) is None:
                    continue
                shift = targets[found] - begins[found]
                packet.pts += shift
                packet.dts += shift
                packet.stream = stream
                output.mux(packet)
    except av.error.FFmpegError as error:
        raise DatasetError(f"cutting {path} failed: {error}") from error
    _check_count(target, sum(stop - first for first, stop in ranges))
    return [float(begin * table.time_base) for begin in targets]


def encode_range(path: Path, table: FrameTable, part: Range, target: Path) -> float:
    """Write a part of a file, encoded so that every image decodes to the same values.

    Args:
        path: the file.
        table: its images.
        part: which ones.
        target: file to create.

    Returns:
        Seconds it lasts.

    Raises:
        DatasetError: the file is damaged, or its pixel format has no lossless encoder here.
    """
    try:
        with open_video(path) as source, av.open(str(target), "w") as output:
            video = source.streams.video[0]
            (first,), (stop,) = _spans(video, table, [part])
            codec, pix_fmt, options = _lossless(video)
            stream = output.add_stream(codec, rate=video.base_rate, options={"g": "2", "bf": "0", **options})
            assert isinstance(stream, av.VideoStream)  # noqa: S101 # an encoder of images, for the type checker
            stream.width, stream.height, stream.pix_fmt = video.width, video.height, pix_fmt
            stream.codec_context.time_base = table.time_base
            if pix_fmt == str(video.pix_fmt):
                stream.codec_context.color_range = video.codec_context.color_range
                stream.codec_context.colorspace = video.codec_context.colorspace
            source.seek(int(table.key_dts[table.key_before(part[0])]), stream=video, backward=True)
            for frame in source.decode(video):
                check_stop()
                if frame.pts is None or frame.pts < first:
                    continue
                if frame.pts >= stop:
                    break
                pts, image = frame.pts - first, frame.reformat(format=pix_fmt)
                image.pts, image.time_base, image.pict_type = pts, table.time_base, 0
                output.mux(stream.encode(image))
            output.mux(stream.encode(None))
    except (av.error.FFmpegError, ValueError) as error:
        raise DatasetError(f"encoding a part of {path} anew failed: {error}") from error
    _check_count(target, part[1] - part[0])
    return float((stop - first) * table.time_base)


def _lossless(video: "av.VideoStream") -> tuple[str, str, dict[str, str]]:
    """Codec, pixel format and options with which the images of a file decode to the same values."""
    pix_fmt = str(video.pix_fmt)
    if pix_fmt.endswith(("le", "be")) or not pix_fmt.startswith("yuv"):
        return "libx265", pix_fmt, {"x265-params": "lossless=1:log-level=error"}
    if "444" not in pix_fmt and (video.width % 2 or video.height % 2):
        # H.264 stores no odd sizes in these formats; what readers get, red, green and blue, it stores in every size.
        return "libx264rgb", "rgb24", {"qp": "0"}
    return "libx264", pix_fmt, {"qp": "0"}


def _spans(video: "av.VideoStream", table: FrameTable, ranges: Sequence[Range]) -> tuple[list[int], list[int]]:
    """When each range begins and ends, in the file's own units."""
    pts = [int(value) for value in table.pts[-2:]]
    # The last image lasts as long as the one before it; a single one as long as the file.
    end = pts[-1] + (pts[-1] - pts[0] if len(pts) > 1 else video.duration or 1)
    stops = [int(table.pts[stop]) if stop < len(table) else end for _, stop in ranges]
    return [int(table.pts[first]) for first, _ in ranges], stops


def _find(pts: int, begins: list[int], stops: list[int]) -> int | None:
    found = bisect_right(begins, pts) - 1
    return found if found >= 0 and pts < stops[found] else None


def _check_count(target: Path, wanted: int) -> None:
    if (stored := image_count(target)) != wanted:
        raise DatasetError(f"{target.name} holds {stored} images after cutting {wanted}", expected="the same number")

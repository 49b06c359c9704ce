"""Video files put one after another without decoding an image."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import av.error

from lerobot.core.errors import DatasetError
from lerobot.datasets.video.encode import image_count, open_video


def video_signature(path: Path) -> tuple[Any, ...]:
    """What two files must have in common to be joined: codec and its set-up, size, pixel format, rate and time base.

    Raises:
        DatasetError: the file is damaged.
    """
    with open_video(path) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        return (
            context.name,
            context.extradata,
            context.width,
            context.height,
            context.pix_fmt,
            stream.time_base,
            stream.base_rate,
        )


def join_videos(sources: Sequence[Path], target: Path) -> list[float]:
    """Write the images of several files into one; each keeps its time relative to its file's begin.

    Args:
        sources: files of equal `video_signature`.
        target: file to create.

    Returns:
        Begin of each source in the new file, seconds.

    Raises:
        DatasetError: a source is damaged, or the result does not hold every image.
    """
    begins: list[Fraction] = []
    begin, wanted = Fraction(0), 0
    try:
        with av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as output:
            with open_video(sources[0]) as first:
                stream = output.add_stream_from_template(first.streams.video[0], opaque=True)
            for source in sources:
                begins.append(begin)
                lasts, holds = _copy_packets(source, output, stream, begin)
                begin += lasts
                wanted += holds
    except av.error.FFmpegError as error:
        raise DatasetError(f"joining {len(sources)} videos into {target.name} failed: {error}") from error
    if (joined := image_count(target)) != wanted:
        raise DatasetError(f"{target.name} holds {joined} images after joining {wanted}", expected="the same number")
    return [float(value) for value in begins]


def _copy_packets(source: Path, output: Any, stream: Any, begin: Fraction) -> tuple[Fraction, int]:
    """Append one file's packets, shifted by `begin` seconds; how long it lasts and how many images it holds."""
    with open_video(source) as container:
        video = container.streams.video[0]
        base = video.time_base
        if base is None:
            raise DatasetError(f"{source} has no time base")
        shift = int(begin / base)
        end = 0
        for packet in container.demux(video):
            if packet.dts is None or packet.pts is None:
                continue  # the empty packet that ends a file
            end = max(end, packet.pts + (packet.duration or 0))
            packet.pts += shift
            packet.dts += shift
            packet.stream = stream
            output.mux(packet)
        return max(end, video.duration or 0) * base, video.frames


def runs(sizes: Sequence[int], limit: int, signatures: Sequence[Any]) -> Iterator[range]:
    """Neighbouring files that fit into one, in order.

    Args:
        sizes: bytes of each file.
        limit: a new file is begun where the sum would reach this.
        signatures: files of different ones are not joined.
    """
    starts, total = [0], 0
    for i, size in enumerate(sizes):
        if i and (total + size >= limit or signatures[i] != signatures[i - 1]):
            starts.append(i)
            total = 0
        total += size
    yield from (range(a, b) for a, b in pairwise([*starts, len(sizes)]))

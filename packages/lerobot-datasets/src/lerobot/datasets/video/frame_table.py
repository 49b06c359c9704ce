"""Which images a video file holds: presentation times and where decoding can start."""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError


@dataclass(frozen=True, slots=True)
class FrameTable:
    """Images of a file in the order they are shown.

    Attributes:
        pts: presentation time of each image, ascending, in units of `time_base`.
        time_base: seconds per unit.
        key_positions: first image shown from each key frame on, ascending; the first is 0.
        key_pts: presentation time of each key frame.
        key_dts: decoding time of each key frame.
    """

    pts: NDArray[np.int64]
    time_base: Fraction
    key_positions: NDArray[np.int64]
    key_pts: NDArray[np.int64]
    key_dts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.pts)

    def time(self, position: int) -> float:
        """When an image is shown, in seconds."""
        return float(int(self.pts[position]) * self.time_base)

    def nearest(self, seconds: float) -> int:
        """Position of the image shown nearest to a time; `len(self)` where the end of the file is nearer."""
        wanted = float(Fraction(seconds) / self.time_base)
        after = int(np.searchsorted(self.pts, wanted))
        if after == 0:
            return 0
        previous = int(self.pts[after - 1])
        if after < len(self.pts):
            return after if int(self.pts[after]) - wanted < wanted - previous else after - 1
        # The last image lasts as long as the average one, at the end of which the file ends.
        step = (previous - int(self.pts[0])) / max(len(self.pts) - 1, 1)
        return after if wanted - previous > step / 2 else after - 1

    def key_before(self, position: int) -> int:
        """Number of the last key frame from which decoding reaches an image."""
        return int(np.searchsorted(self.key_positions, position, side="right")) - 1


def read_frame_table(container: "av.container.InputContainer", path: str) -> FrameTable:
    """Tabulate the images of an open file, without decoding any.

    Where images are stored in the order they are shown, the file's own index is enough; otherwise its packets are
    read. Images that an edit list cuts away are not shown, but decoding may have to start at one.

    Raises:
        DatasetError: the file holds no image, or none that decoding can start at.
    """
    stream = container.streams.video[0]
    entries = [(e.timestamp, e.timestamp, e.is_keyframe, e.is_discard) for e in stream.index_entries]
    if stream.codec_context.has_b_frames or len(entries) != stream.frames or entries[0][0] != stream.start_time:
        entries = [
            (packet.pts, packet.pts if packet.dts is None else packet.dts, packet.is_keyframe, packet.is_discard)
            for packet in container.demux(stream)
            if packet.pts is not None and packet.size
        ]
    columns = np.array(sorted(entries), np.int64).reshape(-1, 4)
    shown, keys = columns[columns[:, 3] == 0], columns[columns[:, 2] == 1]
    if stream.time_base is None or not len(shown):
        raise DatasetError(f"{path} holds no image", expected="a complete mp4 file")
    positions = np.searchsorted(shown[:, 0], keys[:, 0])
    if not len(keys) or positions[0] != 0:
        raise DatasetError(f"{path} does not begin with an image that decoding can start at")
    return FrameTable(shown[:, 0], stream.time_base, positions, keys[:, 0], keys[:, 1])

"""Video that is recorded as one message a frame, as Foxglove does: h264 and h265.

Source:
    https://docs.foxglove.dev/docs/sdk/schemas/compressed-video: Annex B, one frame a message, no B frames, key frames
    with their parameter sets
"""

import re
from collections.abc import Callable
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from numpy.typing import NDArray

from lerobot.mcap.message.image import bytes_of
from lerobot.mcap.message.path import fields_of

_CODECS = {"h264": "h264", "h265": "hevc"}
_NAL = re.compile(rb"\x00\x00\x01(.)", re.DOTALL)
_H264_KEY, _H265_KEYS = 5, range(16, 22)


def is_video(message: Any) -> bool:
    """Whether a message is a frame of a video that can be decoded."""
    return {"format", "data"} <= set(fields_of(message)) and message["format"] in _CODECS


def is_key(message: Any) -> bool:
    """Whether a frame of a video can be decoded without those before it."""
    units = [found[1][0] for found in _NAL.finditer(bytes_of(message["data"]))]
    if message["format"] == "h264":
        return any(unit & 0x1F == _H264_KEY for unit in units)
    return any(unit >> 1 & 0x3F in _H265_KEYS for unit in units)


class VideoFrames:
    """Images of the messages of a video, in any order: decoded forward, and anew from a key frame to go back.

    Args:
        read: gives a message by its number.
    """

    def __init__(self, read: Callable[[int], Any]) -> None:
        self._read = read
        self._codec: Any = None
        self._next = 0
        self._image: NDArray[np.uint8] | None = None

    def as_raw(self, number: int) -> dict[str, Any]:
        """A message as `sensor_msgs/Image` has it.

        Raises:
            ValueError: a frame is damaged, no key frame comes before it, or a message holds more than one frame.
        """
        if self._image is None or number != self._next - 1:
            if self._image is None or number < self._next:
                self._start(number)
            while self._next <= number:
                self._image = self._decode(self._read(self._next))
                self._next += 1
        image = self._image
        if image is None:
            raise ValueError("nothing was decoded")
        height, width = image.shape[:2]
        return {"encoding": "rgb8", "height": height, "width": width, "step": 3 * width, "data": image.tobytes()}

    def _start(self, number: int) -> None:
        while not is_key(message := self._read(number)):
            number -= 1
            if number < 0:
                raise ValueError("no key frame comes before it")
        self._codec = av.CodecContext.create(_CODECS[message["format"]], "r")
        # A frame comes out as soon as it went in; several threads would hold some back.
        self._codec.flags |= Flags.low_delay
        self._codec.thread_count = 1
        self._next = number

    def _decode(self, message: Any) -> NDArray[np.uint8]:
        try:
            frames = self._codec.decode(av.Packet(bytes_of(message["data"])))
        except av.FFmpegError as error:
            raise ValueError(f"its frame of {message['format']} is damaged: {error.strerror}") from error
        if len(frames) != 1:
            raise ValueError(f"it holds {len(frames)} frames of {message['format']}; one a message can be read")
        image: NDArray[np.uint8] = frames[0].to_ndarray(format="rgb24")
        return image

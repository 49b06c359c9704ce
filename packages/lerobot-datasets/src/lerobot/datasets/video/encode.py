"""One video file, written an image at a time with the encoders that PyAV brings."""

import contextlib
import functools
import logging
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt

from lerobot.core.errors import DatasetError
from lerobot.datasets.video.depth_codes import quantize_depth
from lerobot.datasets.video.encoder_config import HARDWARE_CODECS, DepthEncoderConfig, RGBEncoderConfig
from lerobot.datasets.video.priority import usual_priority

logger = logging.getLogger(__name__)


def frame_rate(fps: float) -> Fraction:
    """The rate as the exact fraction a container stores: 29.97 is 2997/100, and 30000/1001 is itself."""
    return Fraction(fps).limit_denominator(10_000)


@functools.cache
def available_encoders() -> frozenset[str]:
    """Names of the hardware encoders that this library has and this machine can start."""
    return frozenset(name for name in HARDWARE_CODECS if name in av.codecs_available and _starts(name))


def _starts(name: str) -> bool:
    with contextlib.suppress(av.error.FFmpegError, ValueError):
        context = av.CodecContext.create(name, "w")
        assert isinstance(context, av.VideoCodecContext)  # noqa: S101 # an encoder of images, for the type checker
        context.width, context.height, context.pix_fmt = 640, 480, "yuv420p"
        context.time_base = Fraction(1, 30)
        context.open()
        return True
    return False


@functools.cache
def _say_format(codec: str, asked: str, used: str, height: int, width: int) -> None:
    """Say once, not for every episode, that another pixel format is used."""
    logger.warning("%dx%d images are stored as %s: %s takes %s of even sizes only", width, height, used, codec, asked)


class VideoFileEncoder:
    """Writes images into one mp4 file; image k is shown at k / fps.

    Args:
        path: file to create.
        fps: images per second, exact.
        height: rows of an image.
        width: columns of an image.
        config: codec and quality; `DepthEncoderConfig` for depth.
        threads: threads the codec may use.

    Raises:
        DatasetError: the codec is missing, or refuses the size or an option.
    """

    def __init__(
        self, path: Path, fps: Fraction, height: int, width: int, config: RGBEncoderConfig, *, threads: int = 1
    ) -> None:
        self.path = path
        odd = bool(height % 2 or width % 2)
        # No hardware encoder is known to take odd sizes, so `auto` settles for its default there.
        resolved = config.resolved(frozenset() if odd else available_encoders())
        self.config = resolved.fitting(height, width)
        if self.config.pix_fmt != resolved.pix_fmt:
            _say_format(resolved.vcodec, resolved.pix_fmt, self.config.pix_fmt, height, width)
        self.images = 0
        self._shape = (height, width)
        if self.config.vcodec == "libsvtav1":
            # The encoder reports every start on stderr unless its own variable asks for errors only.
            os.environ.setdefault("SVT_LOG", "1")
        try:
            self._container = av.open(str(path), "w", format="mp4")
            options = self.config.codec_options(threads)
            stream = self._container.add_stream(self.config.vcodec, rate=fps, options=options)
            assert isinstance(stream, av.VideoStream)  # noqa: S101 # an encoder of images, for the type checker
            self._stream = stream
            self._stream.width, self._stream.height = width, height
            self._stream.pix_fmt = self.config.pix_fmt
            self._stream.codec_context.time_base = 1 / fps
            self._stream.codec_context.thread_count = threads
            with usual_priority():
                self._stream.codec_context.open()
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise DatasetError(
                f"cannot start encoder {self.config.vcodec!r} for {width}x{height} images: {error}",
                expected="a codec of this machine that takes this size and pixel format, and options it knows",
                hint=self._way_out(),
            ) from error

    def add(self, image: npt.NDArray[np.generic]) -> None:
        """Encode the next image.

        Args:
            image: (H, W, 3) uint8 RGB, or depth (H, W, 1) as uint16 millimetres or float32 metres.

        Raises:
            DatasetError: the codec failed or the file cannot be written.
        """
        frame = self._frame(image)
        frame.pts = self.images
        frame.time_base = self._stream.codec_context.time_base
        self._encode(frame)
        self.images += 1

    def close(self) -> None:
        """Write what the codec holds back and the index of the file; the file is complete but not yet flushed to disk.

        Raises:
            DatasetError: the file cannot be written, or holds another number of images than were added.
        """
        self._encode(None)
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError) as error:
            raise self._failure(error) from error
        if (stored := image_count(self.path)) != self.images:
            raise DatasetError(
                f"{self.path.name} holds {stored} images after {self.images} were encoded",
                expected="one image per row",
                hint="choose another codec; the episode was not saved",
            )

    def abort(self) -> None:
        """Close the file as it is; never raises."""
        with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
            self._container.close()

    def _way_out(self) -> str:
        if isinstance(self.config, DepthEncoderConfig):
            return "declare the camera with dtype 'image', which stores every size"
        return "try --dataset.rgb_encoder.vcodec=h264 with no other encoder option; it takes every size"

    def _frame(self, image: npt.NDArray[np.generic]) -> av.VideoFrame:
        if not isinstance(self.config, DepthEncoderConfig):
            return av.VideoFrame.from_ndarray(np.asarray(image, np.uint8), format="rgb24")
        height, width = self._shape
        frame = av.VideoFrame(width, height, self.config.pix_fmt)
        plane = frame.planes[0]
        # Rows of a plane are padded, and the library knows no array form of 12-bit grey.
        rows = np.frombuffer(memoryview(plane), np.uint16).reshape(height, plane.line_size // 2)
        rows[:, :width] = quantize_depth(image[..., 0], self.config)
        return frame

    def _encode(self, frame: av.VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except (av.error.FFmpegError, OSError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> DatasetError:
        return DatasetError(
            f"encoding {self.path.name} failed at image {self.images}: {error}",
            hint="the episode in progress is lost, saved episodes are not; check the free space of the disk",
        )


def image_count(path: Path) -> int:
    """Images in a video file, from its index; nothing is decoded.

    Raises:
        DatasetError: the file is not a video.
    """
    with open_video(path) as container:
        return container.streams.video[0].frames


def video_info(path: Path, config: RGBEncoderConfig) -> dict[str, Any]:
    """What the format records about a camera's videos in its feature's `info`.

    Args:
        path: a finished video of that camera.
        config: the resolved settings it was encoded with.
    """
    return {
        **stream_info(path),
        "video.channels": 1 if isinstance(config, DepthEncoderConfig) else 3,
        "has_audio": False,
        **config.info(),
        "is_depth_map": isinstance(config, DepthEncoderConfig),
    }


def stream_info(path: Path) -> dict[str, Any]:
    """The part of `video_info` that the file itself tells.

    Raises:
        DatasetError: the file is missing or not a video.
    """
    with open_video(path) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        return {
            "video.height": context.height,
            "video.width": context.width,
            "video.codec": context.codec.canonical_name,
            "video.pix_fmt": context.pix_fmt,
            "video.fps": int(stream.base_rate or Fraction(0)),
        }


def open_video(path: Path) -> "av.container.InputContainer":
    """Open a file that must hold a video stream.

    Raises:
        DatasetError: it is damaged or has no images.
    """
    try:
        # Titles and comments are not used, so they may be in any encoding.
        container = av.open(str(path), metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        raise DatasetError(f"{path} cannot be read as a video: {error}", expected="a complete mp4 file") from error
    if not container.streams.video:
        container.close()
        raise DatasetError(f"{path} holds no video stream", expected="an mp4 file with images")
    # PyAV's own types deny it, but a stream without a decoder has none.
    if getattr(container.streams.video[0], "codec_context", None) is None:
        container.close()
        raise DatasetError(f"{path} has images of an unknown codec", expected="a codec that FFmpeg decodes")
    return container

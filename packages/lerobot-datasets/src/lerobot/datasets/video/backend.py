"""Which library decodes videos: PyAV always can, torchcodec where it is installed and finds its FFmpeg."""

import functools
import importlib
import importlib.util
import logging
from typing import Literal, TypeAlias

from lerobot.core.errors import DatasetError
from lerobot.core.registry.catalog import install_hint

logger = logging.getLogger(__name__)

VideoBackend: TypeAlias = Literal["pyav", "torchcodec"]

VIDEO_BACKENDS = ("torchcodec", "pyav", "video_reader")
"""Names users may give; the last is what older code calls PyAV."""


def choose_backend(name: str | None) -> VideoBackend:
    """The library for a name, or the fastest that works, naming once what is missing for a faster one.

    Args:
        name: one of `VIDEO_BACKENDS`; chosen here if None.

    Raises:
        DatasetError: there is no such library, or torchcodec was asked for and does not work.
    """
    if name is not None and name not in VIDEO_BACKENDS:
        raise DatasetError(f"video_backend is {name!r}", expected=" or ".join(VIDEO_BACKENDS))
    if name not in (None, "torchcodec"):
        return "pyav"
    trouble = _torchcodec_trouble()
    if trouble is None:
        return "torchcodec"
    if name == "torchcodec":
        raise DatasetError(
            f"video_backend is 'torchcodec', which {trouble}",
            expected="it to work, or video_backend 'pyav'",
            hint=f"{_install_hint()}; and FFmpeg from your system",
        )
    _say_once(trouble)
    return "pyav"


@functools.cache
def _torchcodec_trouble() -> str | None:
    """Why torchcodec cannot be used; None if it can."""
    if importlib.util.find_spec("torchcodec") is None:
        return "is not installed"
    try:
        importlib.import_module("torchcodec.decoders")
    except (ImportError, OSError, RuntimeError) as error:
        # A build for another torch, or no FFmpeg: its text is a page, whose first line says which.
        return f"does not load: {next(iter(str(error).strip().splitlines()), type(error).__name__)}"
    return None


@functools.cache
def _say_once(trouble: str) -> None:
    logger.info("videos are decoded with PyAV; torchcodec can be faster, but %s (%s)", trouble, _install_hint())


def _install_hint() -> str:
    return install_hint("lerobot-datasets", "torchcodec")

"""Intel's library, and what to do where it cannot be loaded."""

from lerobot.realsense.installation import ADVICE

try:
    import pyrealsense2
except ImportError as error:
    raise ImportError(f"{error}. {ADVICE}", name=error.name, path=error.path) from error

__all__ = ["pyrealsense2"]

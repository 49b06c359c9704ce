"""What `lerobot doctor` says of the libraries that RealSense cameras need."""

import importlib
from collections.abc import Callable

from lerobot.core.hooks import hookimpl
from lerobot.core.installation import Fact

ADVICE = "pyrealsense2 needs the system's libusb-1.0: sudo apt-get install libusb-1.0-0"


@hookimpl
def examine_installation(tell: Callable[[Fact], None]) -> None:
    """Tell whether Intel's library can be loaded."""
    try:
        sdk = importlib.import_module("pyrealsense2")
    except ImportError as error:
        tell(Fact("RealSense", f"pyrealsense2 cannot be loaded: {error}", ADVICE if "usb" in str(error) else ""))
        return
    tell(Fact("RealSense", f"pyrealsense2 {sdk.__version__}"))

"""Which packages are installed, as huggingface/lerobot's plugins ask for it before they import them."""

from collections.abc import Callable
from functools import wraps
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from lerobot.core.errors import AlreadyConnectedError, NotConnectedError

_ASKED = {
    "_av_available": ("av", "av"),
    "_can_available": ("python-can", "can"),
    "_datasets_available": ("datasets", "datasets"),
    "_diffusers_available": ("diffusers", "diffusers"),
    "_dynamixel_sdk_available": ("dynamixel-sdk", "dynamixel_sdk"),
    "_feetech_sdk_available": ("feetech-servo-sdk", "scservo_sdk"),
    "_peft_available": ("peft", "peft"),
    "_placo_available": ("placo", "placo"),
    "_pygame_available": ("pygame", "pygame"),
    "_pynput_available": ("pynput", "pynput"),
    "_pyrealsense2_available": ("pyrealsense2", "pyrealsense2"),
    "_scipy_available": ("scipy", "scipy"),
    "_serial_available": ("pyserial", "serial"),
    "_transformers_available": ("transformers", "transformers"),
    "_zmq_available": ("pyzmq", "zmq"),
}
"""Distribution and module of the flags that plugins import."""


def __getattr__(name: str) -> bool:
    """A flag such as `_serial_available`."""
    if name not in _ASKED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return bool(is_package_available(*_ASKED[name]))


def is_package_available(
    pkg_name: str, import_name: str | None = None, return_version: bool = False
) -> bool | tuple[bool, str]:
    """Whether a distribution is installed and its module can be found; nothing is imported.

    Args:
        pkg_name: name of the distribution.
        import_name: name of the module, the same if None.
        return_version: give the version too, `"N/A"` where there is none.
    """
    try:
        found = version(pkg_name) if find_spec(import_name or pkg_name) is not None else "N/A"
    except PackageNotFoundError:
        found = "N/A"
    return (found != "N/A", found) if return_version else found != "N/A"


def require_package(pkg_name: str, extra: str, import_name: str | None = None) -> None:
    """Refuse to go on without a package.

    Args:
        pkg_name: name of the distribution.
        extra: what it is needed for, huggingface/lerobot's name of an extra.
        import_name: name of the module, the same if None.

    Raises:
        ImportError: it is not installed.
    """
    if not is_package_available(pkg_name, import_name):
        raise ImportError(f"the package {pkg_name!r} is not installed, which {extra!r} needs")


def check_if_not_connected(method: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse to call a device's method before `connect`, with `NotConnectedError`."""

    @wraps(method)
    def checked(self: Any, *args: Any, **settings: Any) -> Any:
        if not self.is_connected:
            raise NotConnectedError(f"{self} is not connected.", device=str(self), hint="Call connect() first.")
        return method(self, *args, **settings)

    return checked


def check_if_already_connected(method: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse to call a device's method after `connect`, with `AlreadyConnectedError`."""

    @wraps(method)
    def checked(self: Any, *args: Any, **settings: Any) -> Any:
        if self.is_connected:
            raise AlreadyConnectedError(f"{self} is already connected.", device=str(self))
        return method(self, *args, **settings)

    return checked

"""The connect/close state machine that every device shares."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Self

from lerobot.core.errors import AlreadyConnectedError, NotConnectedError
from lerobot.core.paths import calibration_root, user_path
from lerobot.core.prompts import Prompter, TerminalPrompter

log = logging.getLogger(__name__)


class DeviceBase:
    """Optional base of devices: keeps the state, checks it, and cleans up after a half-done connect.

    A subclass wraps the body of its `connect` in `self._connecting()`, implements `_close()` and calls
    `self.require_connected()` where it needs the device. `_close` releases every resource that is held, whatever the
    state, and may be called repeatedly.

    Args:
        id: name of this very device; None if it has none.
        prompter: who answers questions; the terminal if None.
    """

    name: ClassVar[str]
    """Name of the device class: folder of calibration files, and `robot_type` of a dataset."""

    def __init__(self, id: str | None = None, *, prompter: Prompter | None = None) -> None:  # noqa: A002
        self.id = id
        self.prompter: Prompter = prompter or TerminalPrompter()
        self._connected = False

    def __str__(self) -> str:
        """Class name with the id, as used in messages: `so101_follower(black)`."""
        return f"{self.name}({self.id})" if self.id else self.name

    @property
    def is_connected(self) -> bool:
        """Whether `connect` completed and `disconnect` was not called since."""
        return self._connected

    def require_connected(self) -> None:
        """Check that the device is connected.

        Raises:
            NotConnectedError: it is not.
        """
        if not self.is_connected:
            raise NotConnectedError(f"{self} is not connected.", device=str(self), hint="Call connect() first.")

    @contextmanager
    def _connecting(self) -> Iterator[None]:
        """Mark the device connected if the block succeeds; release everything if it fails."""
        if self.is_connected:
            raise AlreadyConnectedError(f"{self} is already connected.", device=str(self))
        try:
            yield
        except BaseException:
            self._release()
            raise
        self._connected = True

    def disconnect(self) -> None:
        """Release the device; calling it again does nothing."""
        self._connected = False
        self._close()

    def _release(self) -> None:
        """Close after a failure without hiding it."""
        try:
            self._close()
        except Exception:
            log.exception("%s could not be closed after its connection failed", self)

    def _close(self) -> None:
        """Release every resource that is held."""

    def connect(self) -> None:
        """Open the device; subclasses give it the parameters of their protocol."""
        with self._connecting():
            pass

    def __enter__(self) -> Self:
        """Connect."""
        self.connect()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Disconnect."""
        self.disconnect()


def calibration_path(role: str, name: str, id: str | None, directory: Path | None) -> Path:  # noqa: A002
    """Where the calibration of a device is kept.

    Args:
        role: `"robots"` or `"teleoperators"`.
        name: name of the device class.
        id: name of this very device; `None` gives the field's `None.json`.
        directory: folder chosen by the user; the file lies directly inside it.

    Returns:
        `<directory>/<id>.json`, else `<calibration root>/<role>/<name>/<id>.json`.
    """
    folder = calibration_root() / role / name if directory is None else user_path(directory)
    return folder / f"{id}.json"

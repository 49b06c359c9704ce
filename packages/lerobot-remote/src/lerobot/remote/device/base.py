"""What devices behind the wire share: their host says what they are, before and after they are connected."""

from dataclasses import replace
from typing import Any

from lerobot.core.device import DeviceBase
from lerobot.core.errors import DeviceError
from lerobot.core.types import FeatureSpec, Stamp
from lerobot.remote.config import RemoteDeviceOptions
from lerobot.remote.device.session import Message, Session, describe
from lerobot.remote.wire.clock_offset import ClockOffset
from lerobot.remote.wire.handshake import Description
from lerobot.remote.wire.topics import read_stamp


class RemoteDevice(DeviceBase):
    """Optional base of devices behind the wire.

    A subclass says its `kind`, and takes in messages in `_handle` and the end of the connection in `_failed`, both
    called in the session's thread.

    Args:
        options: where its host is.
        id: name of this very device.
    """

    name = "remote"
    kind: str

    def __init__(self, options: RemoteDeviceOptions, id: str | None) -> None:  # noqa: A002
        super().__init__(id)
        self._options = options
        self._known: Description | None = None
        self._session: Session | None = None

    @property
    def description(self) -> Description:
        """What the host says it serves; asked for once.

        Raises:
            LeRobotError: the host cannot be reached, or serves something else.
        """
        if self._known is None:
            self._known = describe(self._options, self.kind, f"{self} at {self._options.address}")
        return self._known

    def features_of(self, what: str) -> dict[str, FeatureSpec]:
        """Features of `"observation"`, `"action"` or `"feedback"`, as the host has them."""
        return dict(self.description.features.get(what, {}))

    @property
    def session(self) -> Session:
        """The connection.

        Raises:
            NotConnectedError: there is none.
        """
        self.require_connected()
        if self._session is None:
            raise DeviceError(f"{self} has no connection.", device=str(self))
        return self._session

    def _open(self) -> None:
        """Begin; call it inside `self._connecting()`."""
        name = f"{self} at {self._options.address}"
        self._session = Session(self._options, self.description, name, handle=self._handle, failed=self._failed)
        self._session.start()

    def _close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    @property
    def _clock(self) -> ClockOffset:
        return ClockOffset() if self._session is None else self._session.clock

    def _handle(self, topic: str, message: Message) -> None:
        raise NotImplementedError

    def _failed(self, failure: DeviceError) -> None:
        raise NotImplementedError

    def _stamp(self, value: Any) -> Stamp:
        """A stamp of the host, on this computer's clock."""
        stamp = read_stamp(value)
        return replace(stamp, time_s=self._clock.here(stamp.time_s))

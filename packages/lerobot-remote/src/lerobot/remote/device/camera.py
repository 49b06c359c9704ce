"""A camera of another computer."""

import logging
from collections.abc import Iterator
from typing import Any

from lerobot.core.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError, LeRobotError
from lerobot.core.threaded_camera import ThreadedCamera
from lerobot.core.types import FeatureSpec, Stamp
from lerobot.remote.config import RemoteCameraConfig
from lerobot.remote.device.session import Message, Session, describe
from lerobot.remote.newest import Newest
from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.handshake import Description
from lerobot.remote.wire.topics import FRAME, fitting, read_stamp

log = logging.getLogger(__name__)

POLL_S = 0.1
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0


class RemoteCamera(ThreadedCamera):
    """Shows what `lerobot serve --camera.type=...` shows.

    A lost connection is taken up again, because nothing moves by that; until then the newest picture gets older, which
    whoever reads it notices.

    Args:
        config: where the host is. Width, height and rate, if given, have to be the host's.
    """

    name = "remote"

    def __init__(self, config: RemoteCameraConfig) -> None:
        super().__init__(config)
        self.config = config
        self._known: Description | None = None
        self._session: Session | None = None
        self._frames: Newest[tuple[Any, Stamp]] = Newest(str(self), max_age_s=config.max_age_s)

    def __str__(self) -> str:
        """Where it is."""
        return f"{self.name}({self.config.address})"

    def connect(self, warmup: bool = True) -> None:  # noqa: ARG002 - the host's camera is warm
        """See `Camera.connect`."""
        with self._connecting():
            self._known = describe(self.config, "camera", str(self))
            self._require_size(self._spec, self._known.facts.get("fps"))
            self._open()
            self._start_reading(self.config.ready_timeout_s)

    @property
    def _spec(self) -> FeatureSpec:
        specs = {} if self._known is None else self._known.features.get("observation", {})
        if "image" not in specs or len(specs["image"].shape) != 3:
            raise WireError(f"{self} does not say what its pictures are")
        return specs["image"]

    def _require_size(self, spec: FeatureSpec, fps: Any) -> None:
        found = {"height": spec.shape[0], "width": spec.shape[1], "fps": fps}
        wanted = {"height": self.config.height, "width": self.config.width, "fps": self.config.fps}
        odd = [f"{name} {found[name]}" for name, value in wanted.items() if value not in (None, found[name])]
        if odd:
            raise DeviceConnectionError(
                f"{self} gives {', '.join(odd)}.",
                device=str(self),
                expected=", ".join(f"{name} {value}" for name, value in wanted.items() if value is not None),
            )
        self.height, self.width = spec.shape[:2]
        self.fps = fps if isinstance(fps, int | float) else None

    def _open(self) -> None:
        if self._known is None:
            raise WireError(f"{self} is not described")
        self._frames.clear()
        self._session = Session(self.config, self._known, str(self), handle=self._handle, failed=self._frames.fail)
        self._session.start()

    def _let_go(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _close(self) -> None:
        super()._close()
        self._let_go()

    def _handle(self, topic: str, message: Message) -> None:
        if topic != FRAME or self._session is None:
            raise WireError(f"a camera's host sent a message of the type {topic[:40]!r}")
        image = fitting({"values": {"image": message.get("image")}}, {"image": self._spec})["image"]
        stamp = read_stamp(message.get("stamp"))
        self._frames.put((image, stamp), self._session.clock.here(stamp.time_s))

    # --- the camera's thread -----------------------------------------------------------------------------------------

    def _pictures(self) -> Iterator[tuple[float, Any]]:
        seen, latest_s = -1, float("-inf")
        while not self._stopping.is_set():
            try:
                came = self._frames.wait(after=seen, timeout_s=POLL_S)
            except DeviceTimeoutError:
                continue
            except DeviceError as error:
                log.warning("%s: %s; connecting again", self, error.what)
                self._reconnect()
                continue
            seen = came.sequence
            if came.time_s > latest_s:
                latest_s = came.time_s
                yield came.time_s, came.value[0]

    def _reconnect(self) -> None:
        """Connect again, with growing pauses, until it succeeds or the camera is closed."""
        self._let_go()
        pause_s = FIRST_PAUSE_S
        while not self._stopping.wait(pause_s):
            try:
                self._open()
            except (LeRobotError, OSError) as error:
                log.debug("%s: %s", self, error)
                self._let_go()
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                log.info("%s is back", self)
                return

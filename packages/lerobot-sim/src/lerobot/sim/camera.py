"""A camera in a simulated world.

It has no thread: like a camera with a trigger, it makes a picture when it is asked for one, of the scene at that
instant, and no faster than its rate. So pictures cost nothing while nobody looks, and a control loop of the camera's
rate gets a new one every time.
"""

from typing import Any

from lerobot.core.clock import MonotonicClock
from lerobot.core.device import DeviceBase
from lerobot.core.errors import ConfigError, ConfigProblem, DeviceTimeoutError
from lerobot.core.types import Frame
from lerobot.sim.config import SimCameraConfig
from lerobot.sim.rendering import Pictures
from lerobot.sim.running import running
from lerobot.sim.scene import VIEWS
from lerobot.sim.tasks import TASKS
from lerobot.sim.world import World

_SOONEST = 0.65
"""Part of the period after which it can be triggered again: loops jitter, and must not get a picture twice for it."""


class SimCamera(DeviceBase):
    """One of the scene's cameras.

    Args:
        config: see `SimCameraConfig`.
        pictures: the scene of the robot the camera belongs to; without it, the camera looks at the running robot's
            table, or at a table of its own if none runs.
        label: name of the camera in its robot; says the view if the configuration does not.

    Raises:
        ConfigError: neither the configuration nor the label names a view.
    """

    name = "sim"

    def __init__(self, config: SimCameraConfig, *, pictures: Pictures | None = None, label: str = "front") -> None:
        super().__init__(label)
        self.config = config
        self.fps: float | None = config.fps
        self.width: int | None = config.width
        self.height: int | None = config.height
        self._view = config.view or label
        if self._view not in VIEWS:
            raise ConfigError(
                [ConfigProblem(f"--robot.cameras.{label}.view", None, f"one of {', '.join(VIEWS)}", "its name is none")]
            )
        self._given = pictures
        self._pictures: Pictures | None = None
        self._own_world: World | None = None
        self._frame: Frame | None = None
        self._delivered = -1

    @staticmethod
    def find_cameras() -> list[dict[str, Any]]:
        """Describe the cameras that stand in every simulated scene."""
        profile = {"format": "RGB", "width": 320, "height": 240, "fps": 30.0}
        return [
            {
                "name": f"Simulated camera @ {view}",
                "type": "Sim",
                "id": view,
                "simulated": True,
                "default_stream_profile": profile,
            }
            for view in VIEWS
        ]

    @classmethod
    def from_discovery(cls, found: dict[str, Any]) -> "SimCamera":
        """Build the camera an entry of `find_cameras` describes."""
        return cls(SimCameraConfig(view=found["id"]))

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, warmup: bool = True) -> None:  # noqa: ARG002 - there is no exposure to settle
        """See `Camera.connect`."""
        with self._connecting():
            self._pictures = self._given or Pictures(self._find_world(), "auto")
            self._frame, self._delivered = None, -1
            self._newest(self._pictures)

    def _find_world(self) -> World:
        if self.config.robot_id is not None or running.all():
            return running.find(self.config.robot_id, wanted_by=str(self))
        self._own_world = World(TASKS["lift"]())
        self._own_world.follow(MonotonicClock())
        return self._own_world

    def _close(self) -> None:
        if self._pictures is not None and self._pictures is not self._given:
            self._pictures.close()
        self._pictures = self._own_world = None

    # --- reading -----------------------------------------------------------------------------------------------------

    def latest_frame(self) -> Frame:
        """See `Camera.latest_frame`."""
        return self._newest(self._connected_pictures())

    def read(self) -> Any:
        """See `Camera.read`."""
        pictures = self._connected_pictures()
        world = pictures.world
        world.sync()
        # Also when it may be triggered at once, the picture has to be later than the call.
        world.wait_until(world.present_s if self._is_due(world) else self._next_s)
        return self._newest(pictures).image

    def async_read(self, timeout_ms: float = 200) -> Any:
        """See `Camera.async_read`."""
        pictures = self._connected_pictures()
        world = pictures.world
        world.sync()
        if self._frame is not None and self._frame.sequence <= self._delivered and not self._is_due(world):
            if self._next_s - world.now_s > timeout_ms / 1e3:
                raise DeviceTimeoutError(f"{self}: no new frame within {timeout_ms:g} ms.", device=str(self))
            world.wait_until(self._next_s)
        frame = self._newest(pictures)
        self._delivered = frame.sequence
        return frame.image

    def read_latest(self, max_age_ms: float = 500) -> Any:
        """See `Camera.read_latest`."""
        pictures = self._connected_pictures()
        frame = self._newest(pictures)
        age_ms = (pictures.world.present_s - frame.time_s) * 1e3
        if age_ms > max_age_ms:
            raise DeviceTimeoutError(
                f"{self}: the newest frame is {age_ms:.1f} ms old.",
                device=str(self),
                expected=f"at most {max_age_ms:g} ms",
            )
        return frame.image

    def _connected_pictures(self) -> Pictures:
        self.require_connected()
        if self._pictures is None:
            raise AssertionError("a connected camera has pictures")
        return self._pictures

    def _newest(self, pictures: Pictures) -> Frame:
        """The picture of this instant, or the one before if it is too early for another."""
        world = pictures.world
        with world.lock:
            world.sync()
            if self._frame is None or self._is_due(world):
                image = pictures.render(self._view, self.config.width, self.config.height)
                number = 0 if self._frame is None else self._frame.sequence + 1
                self._frame = Frame(image, world.now_s, number)
            return self._frame

    @property
    def _next_s(self) -> float:
        """When the next picture follows the newest at the camera's rate."""
        return 0.0 if self._frame is None else self._frame.time_s + 1 / self.config.fps

    def _is_due(self, world: World) -> bool:
        return world.now_s >= self._next_s - (1 - _SOONEST) / self.config.fps

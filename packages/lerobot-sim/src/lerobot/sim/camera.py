"""A camera in a simulated world.

It has no thread: a picture is made when it is asked for, at most one per frame period, from the state of the scene at
that instant. So pictures cost nothing while nobody looks, and their content depends on time alone, not on scheduling.
"""

import math
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
        self._started_s = 0.0
        self._delivered = -1

    @staticmethod
    def find_cameras() -> list[dict[str, Any]]:
        """Describe the cameras that stand in every simulated scene."""
        profile = {"format": "RGB", "width": 320, "height": 240, "fps": 30.0}
        return [
            {"name": f"Simulated camera @ {view}", "type": "Sim", "id": view, "default_stream_profile": profile}
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
            self._started_s = self._pictures.world.now_s
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
        pictures.world.sync()
        self._wait_for(pictures, self._number(pictures.world) + 1)
        return self._newest(pictures).image

    def async_read(self, timeout_ms: float = 200) -> Any:
        """See `Camera.async_read`."""
        pictures = self._connected_pictures()
        world = pictures.world
        world.sync()
        if self._number(world) <= self._delivered:
            missing_s = self._time_of(self._delivered + 1) - world.now_s
            if missing_s > timeout_ms / 1e3:
                raise DeviceTimeoutError(f"{self}: no new frame within {timeout_ms:g} ms.", device=str(self))
            self._wait_for(pictures, self._delivered + 1)
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
        """The picture of the present frame period, made now if it has not been."""
        world = pictures.world
        with world.lock:
            world.sync()
            number = self._number(world)
            if self._frame is None or self._frame.sequence != number:
                image = pictures.render(self._view, self.config.width, self.config.height)
                self._frame = Frame(image, world.now_s, number)
            return self._frame

    def _number(self, world: World) -> int:
        # A hair is added because times of frames are sums of steps: 0.1 s at 30 Hz is frame 3, not 2.999.
        return math.floor((world.now_s - self._started_s) * self.config.fps + 1e-6)

    def _time_of(self, number: int) -> float:
        return self._started_s + number / self.config.fps

    def _wait_for(self, pictures: Pictures, number: int) -> None:
        world = pictures.world
        while self._number(world) < number:
            world.wait_until(self._time_of(number))

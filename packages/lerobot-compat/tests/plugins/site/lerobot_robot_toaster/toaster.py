from functools import cached_property
from typing import Any, ClassVar

from lerobot.cameras.utils import make_cameras_from_configs
from lerobot.robots.robot import Robot
from lerobot.utils.decorators import check_if_already_connected, check_if_not_connected

from .config_toaster import ToasterConfig


class Toaster(Robot):
    config_class = ToasterConfig
    name = "toaster"
    made: ClassVar[list["Toaster"]] = []

    def __init__(self, config: ToasterConfig) -> None:
        super().__init__(config)
        self.config = config
        self.cameras = make_cameras_from_configs(config.cameras)
        self.pose = {f"{lever}.pos": 0.0 for lever in config.levers}
        self.sent: list[dict[str, float]] = []
        self.powered = self.lost_camera = False
        self.made.append(self)

    @cached_property
    def action_features(self) -> dict[str, Any]:
        return dict.fromkeys(self.pose, float)

    @cached_property
    def observation_features(self) -> dict[str, Any]:
        sizes = {name: (camera.height, camera.width, 3) for name, camera in self.config.cameras.items()}
        return {**self.action_features, **sizes}

    @property
    def is_connected(self) -> bool:
        return self.powered and not self.lost_camera

    @property
    def is_calibrated(self) -> bool:
        return True

    @check_if_already_connected
    def connect(self, calibrate: bool = True) -> None:
        for camera in self.cameras.values():
            camera.connect()
        self.powered = True
        self.configure()

    def calibrate(self) -> None:
        pass

    def configure(self) -> None:
        self._fail("configure")

    @check_if_not_connected
    def get_observation(self) -> dict[str, Any]:
        self._fail("get_observation")
        return {**self.pose, **{name: camera.async_read() for name, camera in self.cameras.items()}}

    @check_if_not_connected
    def send_action(self, action: dict[str, Any]) -> dict[str, Any]:
        self._fail("send_action")
        self.pose.update(action)
        self.sent.append(dict(action))
        return action

    def disconnect(self) -> None:
        if not self.powered:
            raise RuntimeError("not powered")
        self.powered = False
        for camera in self.cameras.values():
            camera.disconnect()

    def _fail(self, where: str) -> None:
        if self.config.fails_in == where:
            raise KeyError(f"{where} fails, as configured")

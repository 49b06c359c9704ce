from typing import Any

import numpy as np
from lerobot.cameras import Camera

from .config_slot import SlotConfig


class Slot(Camera):
    def __init__(self, config: SlotConfig) -> None:
        super().__init__(config)
        self.config = config
        self._connected = False

    @property
    def is_connected(self) -> bool:
        return self._connected

    @staticmethod
    def find_cameras() -> list[dict[str, Any]]:
        return []

    def connect(self, warmup: bool = True) -> None:
        self._connected = True

    def read(self, color_mode: Any = None) -> Any:
        return np.full((self.height, self.width, 3), self.config.brightness, np.uint8)

    def async_read(self, timeout_ms: float = 200) -> Any:
        return self.read()

    def disconnect(self) -> None:
        if not self._connected:
            raise RuntimeError("not connected")
        self._connected = False

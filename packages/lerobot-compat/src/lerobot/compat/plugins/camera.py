"""A third-party camera behind our protocol."""

import time
from collections.abc import Iterator
from typing import Any

from lerobot.compat.plugins.device import build, told
from lerobot.core.threaded_camera import ThreadedCamera

DEFAULT_FPS = 30.0


class AdaptedCamera(ThreadedCamera):
    """A camera that a plugin implements.

    Args:
        config: model of its configuration.
    """

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.name: str = config.type  # type: ignore[misc] # each plugin has its own
        self.device = build(config, self.name)

    def connect(self, warmup: bool = True) -> None:
        """See `Camera.connect`."""
        with self._connecting():
            with told(str(self), "connected"):
                self.device.connect(warmup=warmup)
            image = self._start_reading().image
            self.height, self.width = image.shape[:2]

    def _pictures(self) -> Iterator[tuple[float, Any]]:
        # A plugin that gives its newest picture without waiting is not asked more than twice in a period.
        pause_s = 0.5 / (self.fps or DEFAULT_FPS)
        while True:
            with told(str(self), "read"):
                image = self.device.read()
            # The plugin does not say when the picture was taken.
            yield time.monotonic(), image
            if self._stopping.wait(pause_s):
                return

    def _close(self) -> None:
        super()._close()
        if self.device.is_connected:
            with told(str(self), "disconnected"):
                self.device.disconnect()

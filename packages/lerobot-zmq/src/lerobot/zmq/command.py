"""`lerobot image-server`: cameras of this computer, for others."""

import sys

from lerobot.core.cameras import CameraSet
from lerobot.core.clock import MonotonicClock
from lerobot.core.signals import check_stop, ended_by_signal
from lerobot.zmq.commands.image_server import ImageServerConfig
from lerobot.zmq.server import ImageServer


def image_server(config: ImageServerConfig) -> None:
    """Run the command, until a signal ends it.

    Raises:
        DeviceError: a camera cannot be opened, or failed, or nothing can listen there.
    """
    clock = MonotonicClock()
    cameras = CameraSet(config.cameras)
    with ended_by_signal():
        try:
            cameras.connect()
            with ImageServer(cameras, config) as server:
                sys.stdout.write(f"publishing {', '.join(cameras)} at {server.address}; Ctrl-C ends\n")
                sys.stdout.flush()
                begin, tick = clock.now(), 0
                while True:
                    check_stop()
                    server.publish()
                    tick += 1
                    clock.sleep_until(begin + tick / config.fps)
        finally:
            cameras.disconnect()

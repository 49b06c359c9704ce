"""A process that serves the fake devices, for tests that look at what their own process has open.

It prints the addresses as a line of JSON, and ends when its input does. Whether the robot's motors are powered stands
in a file.
"""

import json
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

from lerobot.core.fake.config import FakeCameraConfig, FakeRobotConfig, FakeTeleoperatorConfig
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.safety import SafetyConfig
from lerobot.remote.host.camera import CameraHost
from lerobot.remote.host.robot import RobotHost
from lerobot.remote.host.teleoperator import TeleoperatorHost
from lerobot.remote.wire.config import ListenOptions
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.remote.wire.server import WireServer

PNG = PictureEncoder("png")


class SeenRobot(FakeRobot):
    """Writes down whether its motors are powered, as a measuring instrument would."""

    file: Path

    def _set_torque(self, enabled: bool) -> None:
        super()._set_torque(enabled)
        self.file.write_text("on" if enabled else "off")


def main(torque: Path) -> None:
    robot = SeenRobot(FakeRobotConfig(cameras={"front": FakeCameraConfig(width=32, height=32, fps=60)}))
    robot.file = torque
    camera = FakeCameraConfig(width=48, height=32, fps=60)
    hosts = {
        "robot": RobotHost(robot, SafetyConfig(), fps=60, pictures=PNG),
        "camera": CameraHost(camera.build(), camera, pictures=PNG),
        "teleoperator": TeleoperatorHost(FakeTeleoperatorConfig().build(), fps=60),
    }
    stop = threading.Event()
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(WireServer(ListenOptions(port=0), host.handle)) for name, host in hosts.items()
        }
        threads = [threading.Thread(target=host.run, args=[stop]) for host in hosts.values()]
        for thread in threads:
            thread.start()
        sys.stdout.write(json.dumps({name: server.address for name, server in servers.items()}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        stop.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

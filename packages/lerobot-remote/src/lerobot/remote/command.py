"""`lerobot serve`: something of this computer, for others."""

import contextlib
import logging
import sys
import threading
from typing import Protocol

from lerobot.core.signals import ended_by_signal
from lerobot.remote.commands.serve import ServeConfig
from lerobot.remote.wire.link import Link
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.remote.wire.server import WireServer

log = logging.getLogger(__name__)


class Host(Protocol):
    """What is served."""

    def handle(self, link: Link) -> None:
        """Serve one connection, in its thread."""
        ...

    def run(self, stop: threading.Event | None = None) -> None:
        """Do what has to be done in the main thread, until `stop` is set or a signal comes."""
        ...


def serve(config: ServeConfig) -> None:
    """Run the command, until a signal ends it.

    Args:
        config: validated configuration.

    Raises:
        LeRobotError: what is served cannot be built or connected, failed, or nothing can listen there.
    """
    with ended_by_signal():
        host = make_host(config)
        with WireServer(config, host.handle) as server:
            _show(f"serving at {server.address}; Ctrl-C ends\n")
            host.run()


def make_host(config: ServeConfig) -> Host:
    """Build what is served, and check that it can be used.

    Raises:
        LeRobotError: it cannot.
    """
    pictures = PictureEncoder(config.image_format, config.image_quality)
    if config.robot is not None:
        from lerobot.remote.host.robot import RobotHost

        host = RobotHost(config.robot.build(), config.safety, fps=config.fps, pictures=pictures)
        host.check()
        return host
    if config.camera is not None:
        from lerobot.remote.host.camera import CameraHost

        return CameraHost(config.camera.build(), config.camera, pictures=pictures)
    if config.teleop is not None:
        from lerobot.remote.host.teleoperator import TeleoperatorHost

        return TeleoperatorHost(config.teleop.build(), fps=config.fps)
    if config.policy is not None:
        from lerobot.remote.host.policy import PolicyHost

        return PolicyHost(config.policy.build())
    assert config.env is not None  # noqa: S101 - the configuration has exactly one
    from lerobot.remote.host.env import EnvHost

    return EnvHost(config.env)


def _show(text: str) -> None:
    # Whoever read the output has gone (`| head -1`): that is no failure of what is served.
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(text)
        sys.stdout.flush()

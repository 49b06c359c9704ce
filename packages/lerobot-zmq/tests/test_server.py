"""The server: what it sends, to whom, and how it ends."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq

from lerobot.core.cameras import CameraSet
from lerobot.core.cli.app import main
from lerobot.core.errors import DeviceConnectionError, DeviceError
from lerobot.core.fake.config import FakeCameraConfig
from lerobot.core.types import Frame
from lerobot.zmq.camera import ZMQCamera
from lerobot.zmq.commands.image_server import PublishOptions
from lerobot.zmq.config import ZMQCameraConfig
from lerobot.zmq.server import ImageServer

CAMERAS = "{head: {type: fake, width: 64, height: 48, fps: 30}, wrist: {type: fake, width: 48, height: 64, fps: 30}}"


class StillCamera:
    """Gives what it is told to."""

    def __init__(self, image: np.ndarray) -> None:
        self.frame = Frame(image, time.monotonic(), 0)

    def latest_frame(self) -> Frame:
        return self.frame


@pytest.fixture
def subscriber() -> Iterator[Any]:
    context = zmq.Context()
    yield context.socket(zmq.SUB)
    context.destroy(linger=0)


def subscribe(subscriber: Any, server: ImageServer) -> None:
    """Have a subscriber get what is published; it takes a moment until the server knows of it."""
    subscriber.setsockopt(zmq.SUBSCRIBE, b"")
    subscriber.connect(f"tcp://{server.address}")
    while not subscriber.poll(20):
        server.publish()
    while subscriber.poll(50):
        subscriber.recv()


def test_a_picture_is_sent_once(subscriber: Any) -> None:
    camera: Any = StillCamera(np.zeros((8, 8, 3), np.uint8))
    with ImageServer({"head": camera}, PublishOptions(port=0)) as server:
        subscribe(subscriber, server)
        camera.frame = Frame(camera.frame.image, time.monotonic(), 1)
        now = time.time()
        server.publish()
        message = json.loads(subscriber.recv())
        assert list(message["images"]) == ["head"]
        assert message["timestamps"]["head"] == pytest.approx(now, abs=1.0)
        server.publish()
        assert json.loads(subscriber.recv()) == {"timestamps": {}, "images": {}}


def test_depth_is_refused() -> None:
    camera: Any = StillCamera(np.zeros((8, 8, 1), np.uint16))
    server = ImageServer({"head": camera}, PublishOptions(port=0))
    with server, pytest.raises(DeviceError, match=r"camera 'head' gives uint16\(8, 8, 1\)"):
        server.publish()


def test_a_port_that_is_taken_is_named() -> None:
    with (
        ImageServer({}, PublishOptions(port=0)) as first,
        pytest.raises(DeviceConnectionError, match="nothing can listen on"),
        ImageServer({}, PublishOptions(port=int(first.address.rpartition(":")[2]))),
    ):
        pass


def test_another_computer_is_served_only_if_anybody_may_see(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lerobot", "image-server", f"--cameras={CAMERAS}", "--host=0.0.0.0"]) == 2
    assert "allow_anybody=true" in capsys.readouterr().err
    assert PublishOptions(host="0.0.0.0", allow_anybody=True).port == 5555


def until_it_fails(cameras: CameraSet, server: ImageServer) -> None:
    with contextlib.suppress(DeviceError):
        while cameras["head"].read() is not None:
            server.publish()


def test_cameras_that_fail_end_it() -> None:
    cameras = CameraSet({"head": FakeCameraConfig(width=64, height=48, fps=100, dies_after=2)})
    cameras.connect()
    try:
        with ImageServer(cameras, PublishOptions(port=0)) as server:
            until_it_fails(cameras, server)
            with pytest.raises(DeviceError, match="thread died"):
                server.publish()
    finally:
        cameras.disconnect()


def test_the_command_serves_two_cameras_until_ctrl_c() -> None:
    program = Path(sys.executable).with_name("lerobot")
    command = [program, "image-server", f"--cameras={CAMERAS}", "--port=0", "--quality=90"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("publishing head, wrist at 127.0.0.1:")
        port = int(line.partition(";")[0].rpartition(":")[2])
        place: dict[str, Any] = {"server_address": "127.0.0.1", "port": port}
        with contextlib.ExitStack() as stack:
            configs = (ZMQCameraConfig(camera_name=name, **place) for name in ("head", "wrist"))
            head, wrist = (stack.enter_context(ZMQCamera(config)) for config in configs)
            assert head.read().shape == (48, 64, 3)
            assert wrist.read().shape == (64, 48, 3)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=30)
        assert "Traceback" not in complaints
        assert process.returncode in {0, 130}
    finally:
        process.kill()
        process.communicate()

"""A camera over ZeroMQ with huggingface/lerobot at the other end, either way round.

`LEROBOT_PEER_PYTHON` names the interpreter of an environment with huggingface/lerobot and pyzmq.
"""

import json
import os
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot.core.types import Frame
from lerobot.zmq.camera import ZMQCamera
from lerobot.zmq.commands.image_server import PublishOptions
from lerobot.zmq.config import ZMQCameraConfig
from lerobot.zmq.server import ImageServer

pytestmark = pytest.mark.peer

PROGRAM = Path(__file__).with_name("peer_zmq_camera.py")
PIXEL = (200, 100, 50)


@pytest.fixture
def peer() -> str:
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if not python:
        pytest.skip("LEROBOT_PEER_PYTHON names no interpreter with huggingface/lerobot")
    if subprocess.run([python, "-c", "import zmq"], capture_output=True, check=False).returncode:
        pytest.skip(f"{python} has no pyzmq")
    return python


class StillCamera:
    """The same picture, always new."""

    def __init__(self) -> None:
        self.number = 0

    def latest_frame(self) -> Frame:
        self.number += 1
        return Frame(np.full((48, 64, 3), PIXEL, np.uint8), time.monotonic(), self.number)


def near(pixel: Any) -> bool:
    return all(abs(int(value) - captured) <= 3 for value, captured in zip(pixel, PIXEL, strict=True))


def test_our_camera_shows_what_their_server_sends(peer: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([peer, PROGRAM, "serve", str(port)], stderr=subprocess.DEVNULL)
    try:
        config = ZMQCameraConfig(server_address="127.0.0.1", port=port, camera_name="head", timeout_ms=120_000)
        with ZMQCamera(config) as camera:
            image = camera.read()
            camera.async_read(timeout_ms=10_000)
            assert image.shape == (48, 64, 3)
            assert near(image[0, 0])
            assert camera.empty > 0, "it sends ten messages per picture"
            assert camera.refused == 0
    finally:
        server.kill()
        server.wait()


def test_their_camera_shows_what_our_server_sends(peer: str) -> None:
    camera: Any = StillCamera()
    ended = threading.Event()
    with ImageServer({"head": camera}, PublishOptions(port=0)) as server:
        port = server.address.rpartition(":")[2]

        def publish() -> None:
            while not ended.wait(0.03):
                server.publish()

        thread = threading.Thread(target=publish)
        thread.start()
        try:
            shown = subprocess.run(
                [peer, PROGRAM, "show", port, "head"], capture_output=True, text=True, timeout=300, check=True
            )
        finally:
            ended.set()
            thread.join()
    answer = json.loads(shown.stdout.splitlines()[-1])
    assert answer["shape"] == [48, 64, 3]
    assert near(answer["pixel"])

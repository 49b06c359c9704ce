"""Somebody with two calibrated SO-101 arms, a camera, and programs written for huggingface/lerobot.

The arms are virtual servos on pseudo-terminals, the camera is a video file. A program's text is run as it stands, but
for ports, the camera's file and folders.
"""

import multiprocessing
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from program_desk import CALIBRATION, Desk

from lerobot.motors import save_calibration
from lerobot.motors.virtual import ARMS, VirtualBus, with_calibration

multiprocessing.set_forkserver_preload(["lerobot.motors.virtual.process", "lerobot.feetech.virtual"])


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video file of 30 frames/s."""
    path = tmp_path_factory.mktemp("camera") / "camera.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(60):
            picture = np.full((120, 160, 3), 4 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def desk(tmp_path: Path, camera: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for module in ("follower", "pair"):
        monkeypatch.setattr(f"lerobot.motors.arms.{module}.CAMERA_TEST_S", 0.05)
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "lerobot"))
    monkeypatch.setenv("HF_LEROBOT_CALIBRATION", str(tmp_path / "calibration"))
    monkeypatch.delenv("LEROBOT_HOME", raising=False)
    for role, name in (("robots", "so_follower"), ("teleoperators", "so_leader")):
        save_calibration(tmp_path / "calibration" / role / name / "black.json", CALIBRATION)
    follower, leader = (VirtualBus(with_calibration(ARMS["so101"], CALIBRATION)) for _ in range(2))
    places = {
        "FOLLOWER_PORT": follower.port,
        "LEADER_PORT": leader.port,
        "CAMERA": str(camera),
        "OUTPUT": str(tmp_path / "policy"),
        "URDF": "so101",
    }
    yield Desk(follower, leader, tmp_path, places)
    follower.close()
    leader.close()

"""A clean recording of a robot that moves, to plant defects in."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from lerobot.datasets.writer.recorder import DatasetRecorder

FPS, LENGTH, EPISODES = 20, 60, 6
NAMES = ["shoulder", "elbow", "gripper"]
FEATURES = {
    "observation.state": {"dtype": "float32", "shape": (3,), "names": NAMES},
    "action": {"dtype": "float32", "shape": (3,), "names": NAMES},
    "observation.images.cam": {"dtype": "video", "shape": (64, 96, 3), "names": ["height", "width", "channels"]},
}
CAMERA = "observation.images.cam"


def motion(episode: int, length: int = LENGTH) -> np.ndarray:
    """Smooth joints, and a gripper that closes half way, (length, 3)."""
    t = np.arange(length) / FPS
    gripper = (np.arange(length) > length // 2) * 50.0
    return np.stack([30 * np.sin(t + episode), 20 * np.cos(2 * t), gripper], axis=1).astype(np.float32)


def image(episode: int, frame: int) -> np.ndarray:
    """A scene in which something moves."""
    scene = np.random.default_rng(episode).integers(60, 200, (64, 96, 3), np.uint8)
    scene[10:30, frame : frame + 20] = 255
    return scene


def record(root: Path, *, states=motion, images=image, lengths=(LENGTH,) * EPISODES) -> Path:
    """Record episodes whose states and images the given functions make."""
    with DatasetRecorder.create(root, FPS, FEATURES) as recorder:
        for episode, length in enumerate(lengths):
            state, action = states(episode), motion(episode)
            for frame in range(length):
                values = {"observation.state": state[frame], "action": action[frame]}
                recorder.add_frame({**values, CAMERA: images(episode, frame)}, "move")
            recorder.save_episode()
    return root


@pytest.fixture(scope="session")
def clean(tmp_path_factory) -> Path:
    return record(tmp_path_factory.mktemp("clean") / "set")


@pytest.fixture
def dataset(clean, tmp_path) -> Path:
    """A copy of the clean recording to be damaged."""
    return Path(shutil.copytree(clean, tmp_path / "set"))


@pytest.fixture(scope="session")
def make():
    """`record`, `motion` and `image`, for test modules that cannot import them."""
    return record, motion, image

"""What the tests receive from: a sender, and a recorded message."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lerobot.zmq.config import ZMQCameraConfig

sys.path.append(str(Path(__file__).parent))

from zmq_sender import Sender, sending

GOLDEN = Path(__file__).parents[4] / "shared" / "data" / "golden" / "hardware" / "zmq_camera"


@pytest.fixture
def sender() -> Iterator[Sender]:
    with sending() as opened:
        yield opened


@pytest.fixture
def config(sender: Sender) -> Callable[..., ZMQCameraConfig]:
    def config(**fields: Any) -> ZMQCameraConfig:
        place = {"server_address": "127.0.0.1", "port": sender.port, "camera_name": "wrist"}
        return ZMQCameraConfig.model_validate({**place, **fields})

    return config


@pytest.fixture(scope="session")
def recorded() -> dict[str, Any]:
    """A message of huggingface/lerobot's server: 64x48, all red."""
    if not GOLDEN.is_dir():
        pytest.skip(f"{GOLDEN} is missing: recorded messages are not part of the repository")
    message: dict[str, Any] = json.loads((GOLDEN / "message.json").read_text())
    return message

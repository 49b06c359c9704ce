"""The contract of cameras, and of packages."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from zmq_sender import Sender

from lerobot.core.testing import CameraContract, PluginPackageContract
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.zmq.config import ZMQCameraConfig
from lerobot.zmq.messages import SentPicture, encode_message

NOISE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


class TestCamera(CameraContract):
    @pytest.fixture
    def config(self, sender: Sender) -> ZMQCameraConfig:
        encoder = PictureEncoder("jpeg", 80)
        sender.message = lambda _: encode_message({"wrist": SentPicture.of(NOISE, time.time(), encoder)})
        return ZMQCameraConfig(
            server_address="127.0.0.1", port=sender.port, camera_name="wrist", width=64, height=48, fps=100
        )


class TestPackage(PluginPackageContract):
    distribution = "lerobot-zmq"


def test_fields_and_defaults_are_the_documented_ones() -> None:
    assert ZMQCameraConfig(server_address="10.0.0.2").model_dump(exclude={"type"}) == {
        "server_address": "10.0.0.2",
        "port": 5555,
        "camera_name": "zmq_camera",
        "color_mode": "rgb",
        "timeout_ms": 5000,
        "warmup_s": 1,
        "fps": None,
        "width": None,
        "height": None,
    }


@pytest.mark.parametrize("field", [{"port": 0}, {"port": 65536}, {"timeout_ms": 0}, {"server_address": ""}])
def test_what_huggingface_lerobot_refuses_is_refused(
    config: Callable[..., ZMQCameraConfig], field: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=next(iter(field))):
        ZMQCameraConfig(**{"server_address": "10.0.0.2", **field})

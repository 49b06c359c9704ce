"""The configuration, beside the documented flags of huggingface/lerobot."""

from typing import Any

import pytest

from lerobot.core.config import CameraConfig, ConfigModel
from lerobot.realsense.config import RealSenseCameraConfig


def test_fields_and_defaults_are_the_documented_ones() -> None:
    config = RealSenseCameraConfig(serial_number_or_name="233522074606")
    assert config.model_dump(exclude={"type", "recording", "align_depth"}) == {
        "serial_number_or_name": "233522074606",
        "color_mode": "rgb",
        "use_rgb": True,
        "use_depth": False,
        "rotation": 0,
        "warmup_s": 1,
        "exposure": None,
        "gain": None,
        "white_balance": None,
        "fps": None,
        "width": None,
        "height": None,
    }


def test_a_serial_number_without_quotes_is_one() -> None:
    class Rig(ConfigModel):
        camera: CameraConfig

    rig = Rig.model_validate({"camera": {"type": "intelrealsense", "serial_number_or_name": 233522074606}})
    assert isinstance(rig.camera, RealSenseCameraConfig)
    assert rig.camera.serial_number_or_name == "233522074606"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"serial_number_or_name": ""}, "either serial_number_or_name or recording"),
        ({"recording": "a.bag"}, "either serial_number_or_name or recording"),
        ({"use_rgb": False}, "use_rgb or use_depth to be true"),
        ({"use_rgb": False, "use_depth": True, "exposure": 100}, "use_rgb beside exposure"),
        ({"align_depth": True}, "use_rgb and use_depth beside align_depth"),
        ({"fps": 30}, "all of fps, width and height"),
        ({"rotation": 45}, "rotation"),
        ({"color_mode": "yuv"}, "color_mode"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        RealSenseCameraConfig.model_validate({"serial_number_or_name": "1", **fields})


def test_the_size_asked_for_is_the_one_before_rotation() -> None:
    config = RealSenseCameraConfig(serial_number_or_name="1", rotation=90, width=480, height=640, fps=30)
    assert config.capture_size == (640, 480)

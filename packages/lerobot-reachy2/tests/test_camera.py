"""Pictures: their colours, their size, and what is none."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lerobot.core.errors import DeviceConnectionError
from lerobot.reachy2.camera import Reachy2Camera
from lerobot.reachy2.config import Reachy2CameraConfig
from lerobot.reachy2.virtual import VirtualReachy


@pytest.fixture
def camera(reachy: VirtualReachy) -> Callable[..., Reachy2Camera]:
    def camera(**fields: Any) -> Reachy2Camera:
        where = {"ip_address": "127.0.0.1", "port": reachy.video_port, "connect_timeout_s": 30.0}
        return Reachy2Camera(Reachy2CameraConfig(**{"name": "teleop", "image_type": "left", **where, **fields}))

    return camera


@pytest.mark.parametrize(
    ("fields", "colour"),
    [
        ({}, (200, 0, 0)),
        ({"image_type": "right"}, (0, 0, 200)),
        ({"color_mode": "bgr"}, (0, 0, 200)),
        ({"name": "depth", "image_type": "rgb"}, (200, 0, 0)),
    ],
)
def test_pictures_have_the_colours_of_the_scene(
    camera: Callable[..., Reachy2Camera], fields: dict[str, Any], colour: tuple[int, int, int]
) -> None:
    with camera(width=320, height=240, fps=30, **fields) as each:
        picture = each.read()
    assert picture.shape == (240, 320, 3)
    assert np.median(picture, axis=(0, 1)) == pytest.approx(colour, abs=6)
    assert (picture.min(axis=2) > 200).mean() == pytest.approx(20 / 640, abs=0.02), "the white bar"


def test_depth_is_millimetres_to_the_bit(camera: Callable[..., Reachy2Camera]) -> None:
    with camera(name="depth", image_type="depth") as each:
        picture = each.read()
    assert (picture.dtype, picture.shape) == (np.uint16, (480, 640, 1))
    assert set(np.unique(picture)) == {700, 1500}


def test_depth_with_the_other_end_first_and_longer_rows(
    reachy: VirtualReachy, camera: Callable[..., Reachy2Camera]
) -> None:
    def turned(method: str, reply: Any) -> Any:
        if method == "GetDepth":
            rows = np.zeros((2, 8), ">u2")
            rows[:, :3] = [[1, 2, 3], [256, 512, 1024]]
            reply.data, reply.height, reply.width, reply.step, reply.isbigendian = rows.tobytes(), 2, 3, 16, True
        return reply

    reachy.after = turned
    with camera(name="depth", image_type="depth") as each:
        assert each.read()[:, :, 0].tolist() == [[1, 2, 3], [256, 512, 1024]]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"data": b"\x01\x02"}, "2 bytes of depth cannot be 640x480"),
        ({"height": 2**31, "width": 2**31}, "cannot be 2147483648x2147483648"),
        ({"encoding": "32FC1"}, "depth comes as '32FC1'"),
    ],
)
def test_what_is_no_depth_is_told_once(
    reachy: VirtualReachy,
    camera: Callable[..., Reachy2Camera],
    fields: dict[str, Any],
    said: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(method: str, reply: Any) -> Any:
        for name, value in fields.items() if method == "GetDepth" else ():
            setattr(reply, name, value)
        return reply

    reachy.after = broken
    with pytest.raises(DeviceConnectionError, match=r"gave no picture within 0\.5 s"):
        camera(name="depth", image_type="depth", connect_timeout_s=0.5).connect()
    assert len([record for record in caplog.records if said in record.message]) == 1


def test_a_depth_of_another_size_is_none(
    camera: Callable[..., Reachy2Camera], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DeviceConnectionError, match="gave no picture"):
        camera(name="depth", image_type="depth", width=320, height=240, connect_timeout_s=0.5).connect()
    assert "depth is 640x480" in caplog.text


def test_a_jpeg_that_is_none_is_left_out(reachy: VirtualReachy, camera: Callable[..., Reachy2Camera]) -> None:
    count = 0

    def every_second(method: str, reply: Any) -> Any:
        nonlocal count
        count += 1
        if method == "GetFrame" and count % 2:
            reply.data = reply.data[:400]
        return reply

    reachy.after = every_second
    with camera() as each:
        assert {each.read().shape for _ in range(3)} == {(480, 640, 3)}


def test_a_camera_that_is_not_plugged_in_is_named(reachy: VirtualReachy, camera: Callable[..., Reachy2Camera]) -> None:
    def without_head(method: str, reply: Any) -> Any:
        if method == "GetAvailableCameras":
            del reply.camera_feat[0]
        return reply

    reachy.after = without_head
    with pytest.raises(DeviceConnectionError, match="the robot has no camera teleop_head") as caught:
        camera().connect()
    assert caught.value.expected == "one of depth_camera"


def test_a_lost_server_is_asked_anew(reachy: VirtualReachy, camera: Callable[..., Reachy2Camera]) -> None:
    port = reachy.video_port
    with camera() as each:
        reachy.stop()
        with VirtualReachy(0, port):
            before = each.latest_frame().sequence
            for _ in range(2):
                each.async_read(timeout_ms=30_000)
            assert each.latest_frame().sequence > before

"""The camera on recordings: a real one whose numbers are known, and drawn ones whose frames say which they are."""

import itertools
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyrealsense2 as rs
import pytest
from virtual_realsense import FRAMES, NAME, NEAR, RISE, SERIAL, depth_of

from lerobot.core.cameras import CameraSet
from lerobot.core.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError, NotConnectedError
from lerobot.core.protocols import DepthCamera
from lerobot.core.types import Observation
from lerobot.realsense import camera as camera_module
from lerobot.realsense import devices
from lerobot.realsense.camera import RealSenseCamera, millimetres
from lerobot.realsense.config import RealSenseCameraConfig

COLOR_MEANS = (17.164683, 17.192973, 17.208592, 17.030780, 16.916640)
DEPTH_MEANS = (1666.456722, 1662.926537, 1669.045443, 1677.409108, 1811.534681, 1805.540423)
"""Of the frames of the recording, as Intel's library gave them when it was filed."""


def config(recording: Path, **fields: Any) -> RealSenseCameraConfig:
    return RealSenseCameraConfig.model_validate({"recording": recording, "warmup_s": 0, **fields})


# --- the real recording -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "shape", "dtype", "means"),
    [
        ({}, (480, 640, 3), "uint8", COLOR_MEANS),
        ({"use_rgb": False, "use_depth": True}, (480, 640, 1), "uint16", DEPTH_MEANS),
    ],
)
def test_a_real_recording_gives_the_numbers_that_are_known(
    real: Path, fields: dict[str, Any], shape: tuple[int, ...], dtype: str, means: tuple[float, ...]
) -> None:
    with RealSenseCamera(config(real, **fields)) as camera:
        assert camera.fps == 30
        seen = []
        for _ in range(12):
            image = camera.async_read(timeout_ms=5000)
            assert (image.shape, str(image.dtype)) == (shape, dtype)
            (place,) = [n for n, mean in enumerate(means) if abs(mean - image.mean()) < 2e-6]
            seen.append(place)
    assert len(set(seen)) > len(means) // 2
    # Whatever was skipped, they come in the order in which they were recorded, again and again.
    assert sum(later <= earlier for earlier, later in itertools.pairwise(seen)) < len(seen) // 2


def test_it_is_described_as_a_camera_is(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = rs.context().load_device(str(real))

    class Attached:
        def query_devices(self) -> list[Any]:
            return [device]

    monkeypatch.setattr(devices, "context", Attached)
    (found,) = RealSenseCamera.find_cameras()
    assert (found["name"], found["type"], found["id"]) == ("Intel RealSense D435", "RealSense", "233522074606")
    assert found["firmware_version"] == "5.16.0.1"
    assert RealSenseCamera.from_discovery(found).config.serial_number_or_name == "233522074606"


def test_without_a_camera_none_is_found() -> None:
    assert isinstance(RealSenseCamera.find_cameras(), list)


def test_colour_and_depth_that_do_not_overlap_are_told(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "SILENCE_S", 0.5)
    with pytest.raises(DeviceError, match=r"no picture and depth at the same time for 0\.5 s"):
        RealSenseCamera(config(real, use_depth=True)).connect()


# --- drawn recordings -------------------------------------------------------------------------------------------------


def test_colour_and_depth_of_one_frame_belong_together(drawn: Path) -> None:
    with RealSenseCamera(config(drawn, use_depth=True)) as camera:
        assert isinstance(camera, DepthCamera)
        for _ in range(5):
            camera.read()
            color, depth = camera.latest_frame(), camera.latest_depth_frame()
            assert tuple(color.image[0, 0, 1:]) == (7, 200)
            number = int(color.image[0, 0, 0])
            # Depth is put before colour, so it may be one further by now.
            assert int(depth.image[0, 0, 0]) in {depth_of(number % FRAMES), depth_of((number + 1) % FRAMES)}
            assert color.time_s <= time.monotonic()
        assert camera.async_read_depth(timeout_ms=2000).shape == (48, 64, 1)
        assert camera.read_depth().dtype == np.uint16
        assert camera.read_latest_depth(max_age_ms=5000).shape == (48, 64, 1)
        with pytest.raises(DeviceTimeoutError):
            camera.read_latest_depth(max_age_ms=0)


def test_aligned_depth_is_what_the_colour_camera_sees(drawn: Path) -> None:
    """At 0.5 m a camera 20 mm to the right sees everything some 50 * 20 / 500 = 2 pixels further left."""
    with RealSenseCamera(config(drawn, use_depth=True, align_depth=True)) as camera:
        for _ in range(5):
            row = camera.async_read_depth(timeout_ms=5000)[24, :, 0]
            distance = int(row[0])
            assert (distance - NEAR) % RISE == 0
            shift = round(50 * 20 / distance)
            assert (row[: 64 - shift] == distance).all()
            assert (row[64 - shift :] == 0).all(), "there the depth camera sees nothing"


def test_depth_is_in_millimetres_whatever_the_unit(fine: Path) -> None:
    with RealSenseCamera(config(fine, use_rgb=False, use_depth=True)) as camera:
        seen = {int(camera.async_read(timeout_ms=5000)[0, 0, 0]) for _ in range(10)}
    assert seen <= {round(depth_of(number) / 10) for number in range(FRAMES)}


def test_millimetres_stay_exact_and_inside_sixteen_bits() -> None:
    raw = np.array([[0, 1, 65534, 65535]], np.uint16)
    assert millimetres(raw, 1.0000000474974513) is raw
    assert millimetres(raw, 0.1).tolist() == [[0, 0, 6553, 6554]]
    assert millimetres(raw, 10.0).tolist() == [[0, 10, 65535, 65535]]


@pytest.mark.parametrize(("mode", "pixel"), [("rgb", [7, 200]), ("bgr", [200, 7])])
def test_channel_order(drawn: Path, mode: str, pixel: list[int]) -> None:
    with RealSenseCamera(config(drawn, color_mode=mode)) as camera:
        image = camera.read()
    assert [value for value in image[0, 0].tolist() if value in {7, 200}] == pixel


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotation_is_clockwise(drawn: Path, real: Path, rotation: int) -> None:
    size = (480, 640) if rotation == 180 else (640, 480)
    upright = frames_of(real)
    with RealSenseCamera(config(real, rotation=rotation, height=size[0], width=size[1], fps=30)) as camera:
        turned = camera.read()
        assert (camera.height, camera.width) == size
    back = np.rot90(turned, {90: 1, 180: 2, -90: -1}[rotation])
    assert any(np.array_equal(back, image) for image in upright)


def frames_of(recording: Path) -> list[np.ndarray]:
    with RealSenseCamera(config(recording)) as camera:
        return [camera.async_read(timeout_ms=5000) for _ in range(10)]


def test_a_picture_is_a_copy(drawn: Path) -> None:
    with RealSenseCamera(config(drawn)) as camera:
        first = camera.async_read(timeout_ms=5000)
        before = first.copy()
        for _ in range(30):
            camera.async_read(timeout_ms=5000)
        assert np.array_equal(first, before)
        assert first.flags.owndata


def test_a_robot_has_colour_and_depth(drawn: Path) -> None:
    sizes = {"width": 64, "height": 48, "fps": 30}
    cameras = CameraSet(
        {
            "both": config(drawn, use_depth=True, **sizes),
            "deep": config(drawn, use_rgb=False, use_depth=True, **sizes),
            "flat": config(drawn, **sizes),
        }
    )
    shapes = {key: (spec.dtype, spec.shape, spec.unit) for key, spec in cameras.features.items()}
    assert shapes == {
        "both": ("uint8", (48, 64, 3), None),
        "both_depth": ("uint16", (48, 64, 1), "mm"),
        "deep_depth": ("uint16", (48, 64, 1), "mm"),
        "flat": ("uint8", (48, 64, 3), None),
    }
    cameras.connect()
    try:
        observation = Observation()
        cameras.read_into(observation)
    finally:
        cameras.disconnect()
    assert {key: (str(value.dtype), value.shape) for key, value in observation.items()} == {
        key: shape[:2] for key, shape in shapes.items()
    }
    assert observation.stamps.keys() == observation.keys()


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_depth_that_was_not_asked_for_is_none(drawn: Path) -> None:
    camera = RealSenseCamera(config(drawn))
    with pytest.raises(NotConnectedError):
        camera.latest_depth_frame()
    with camera, pytest.raises(DeviceError, match="was not asked for depth"):
        camera.latest_depth_frame()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"width": 641, "height": 480, "fps": 30}, "could not be opened 641x480 at 30 Hz"),
        ({"recording": Path("missing.bag")}, r"no recording 'missing\.bag'"),
        ({"recording": Path(__file__)}, "could not be opened"),
    ],
)
def test_what_cannot_be_opened_is_named(drawn: Path, fields: dict[str, Any], says: str) -> None:
    camera = RealSenseCamera(config(drawn, **{key: value for key, value in fields.items() if key != "recording"}))
    if "recording" in fields:
        camera = RealSenseCamera(config(fields["recording"]))
    with pytest.raises(DeviceConnectionError, match=says):
        camera.connect()
    assert not camera.is_connected


FOUND = [{"id": SERIAL, "name": NAME}, {"id": "2", "name": "Intel RealSense D435"}, {"id": "3", "name": NAME}]


def test_a_camera_is_named_by_its_number_or_its_model() -> None:
    assert devices.serial_number(SERIAL, FOUND) == SERIAL
    assert devices.serial_number("Intel RealSense D435", FOUND) == "2"
    with pytest.raises(DeviceConnectionError, match=f"2 cameras are called '{NAME}'"):
        devices.serial_number(NAME, FOUND)
    with pytest.raises(DeviceConnectionError, match="no RealSense camera 'D405'") as caught:
        devices.serial_number("D405", FOUND)
    assert SERIAL in caught.value.expected


def test_a_camera_that_is_not_attached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "find_cameras", list)
    with pytest.raises(DeviceConnectionError, match="no RealSense camera '4711'") as caught:
        RealSenseCamera(RealSenseCameraConfig(serial_number_or_name="4711")).connect()
    assert caught.value.expected == "none is attached"


class ColorSensor:
    """Takes exposure from 1 to 10 000, and has no gain."""

    def __init__(self) -> None:
        self.set: list[tuple[Any, float]] = []

    def supports(self, what: Any) -> bool:
        return what not in {rs.option.gain}

    def get_info(self, what: Any) -> str:
        return "RGB Camera"

    def get_option_range(self, option: Any) -> Any:
        limits = rs.option_range()
        limits.min, limits.max = 1, 10_000
        return limits

    def set_option(self, option: Any, value: float) -> None:
        if value == 13:
            raise RuntimeError("hwmon command failed")
        self.set.append((option, value))


class Attached:
    def __init__(self, *sensors: ColorSensor) -> None:
        self.sensors = sensors

    def query_sensors(self) -> tuple[ColorSensor, ...]:
        return self.sensors


def test_what_is_automatic_is_switched_off_first() -> None:
    sensor = ColorSensor()
    wanted = RealSenseCameraConfig(serial_number_or_name="1", exposure=200, white_balance=4600)
    devices._set_options(Attached(sensor), wanted)
    assert sensor.set == [
        (rs.option.enable_auto_exposure, 0),
        (rs.option.exposure, 200),
        (rs.option.enable_auto_white_balance, 0),
        (rs.option.white_balance, 4600),
    ]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"exposure": 20_000}, "exposure 20000 is outside"),
        ({"gain": 5}, "no gain that can be set"),
        ({"exposure": 13}, "exposure 13 could not be set: hwmon"),
    ],
)
def test_a_setting_that_it_does_not_take_is_named(fields: dict[str, int], says: str) -> None:
    wanted = RealSenseCameraConfig(serial_number_or_name="1", **fields)
    with pytest.raises(DeviceError, match=says):
        devices._set_options(Attached(ColorSensor()), wanted)
    with pytest.raises(DeviceError, match="no colour sensor of its own"):
        devices._set_options(Attached(), wanted)


class Pipeline:
    """Gives what it is told, or nothing."""

    def __init__(self, *given: Any) -> None:
        self.given = list(given)

    def try_wait_for_frames(self, timeout_ms: int) -> tuple[bool, Any]:
        time.sleep(0.01)
        if not self.given:
            return False, None
        given = self.given.pop(0)
        if isinstance(given, Exception):
            raise given
        return True, given

    def stop(self) -> None:
        self.given.clear()


@pytest.mark.parametrize(
    ("given", "says"), [((), "was it unplugged"), ((RuntimeError("device disconnected"),), "device disconnected")]
)
def test_an_unplugged_camera_says_so_in_every_call(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, given: tuple[Any, ...], says: str
) -> None:
    monkeypatch.setattr(camera_module, "SILENCE_S", 0.1)
    opened = devices.OpenCamera(Pipeline(*given), 1.0, 30.0)
    monkeypatch.setattr(camera_module, "open_camera", lambda _: opened)
    camera = RealSenseCamera(RealSenseCameraConfig(serial_number_or_name="1", use_depth=True))
    with caplog.at_level(logging.ERROR), pytest.raises(DeviceError, match=says):
        camera.connect()
    assert not camera.is_connected
    assert not caplog.records
    with pytest.raises(DeviceError, match=says):
        camera._newest_depth.latest()

"""The camera on recorded sources: every picture knows its number, so order, colour and rotation can be checked."""

import logging
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from lerobot.core.cameras import CameraRate, CameraSet
from lerobot.core.config import CameraConfig, ConfigModel
from lerobot.core.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError, NotConnectedError
from lerobot.core.types import Observation
from lerobot.opencv import sources
from lerobot.opencv.camera import OpenCVCamera
from lerobot.opencv.config import OpenCVCameraConfig
from lerobot.opencv.identity import stable_names

COUNT, HEIGHT, WIDTH = 12, 24, 32


def picture(number: int) -> np.ndarray:
    """Blue carries the number, the top left corner is red."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[..., 0] = 10 * number
    image[:8, :8, 2] = 255
    return image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(COUNT):
        cv2.imwrite(str(tmp_path / f"{number:06d}.png"), picture(number))
    return tmp_path


def config(place: Path, **fields: object) -> OpenCVCameraConfig:
    return OpenCVCameraConfig(index_or_path=place, warmup_s=0, fps=fields.pop("fps", 200), **fields)


def number_of(image: np.ndarray, channel: int = 2) -> int:
    return round(float(image[-1, -1, channel]) / 10)


def test_pictures_arrive_in_order_and_start_again(folder: Path) -> None:
    with OpenCVCamera(config(folder)) as camera:
        first = camera.latest_frame()
        numbers = [number_of(camera.async_read(timeout_ms=2000)) for _ in range(2 * COUNT)]
        assert camera.latest_frame().sequence >= first.sequence + 2 * COUNT - 1
    # A reader slower than the source skips pictures; it never sees one twice or out of order.
    steps = {(after - before) % COUNT for before, after in pairwise(numbers)}
    assert 0 not in steps
    assert 1 in steps


@pytest.mark.parametrize("pattern", ["%06d.png", "movie.avi"])
def test_a_numbered_sequence_and_a_video_file_are_sources(folder: Path, pattern: str) -> None:
    if pattern == "movie.avi":
        writer = cv2.VideoWriter(str(folder / pattern), cv2.VideoWriter.fourcc(*"MJPG"), 25, (WIDTH, HEIGHT))
        for number in range(COUNT):
            writer.write(picture(number))
        writer.release()
    with OpenCVCamera(config(folder / pattern)) as camera:
        seen = {number_of(camera.async_read(timeout_ms=2000)) for _ in range(COUNT)}
    assert len(seen) > COUNT // 2


def test_a_video_file_brings_its_own_rate(folder: Path) -> None:
    writer = cv2.VideoWriter(str(folder / "m.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (WIDTH, HEIGHT))
    writer.write(picture(0))
    writer.release()
    with OpenCVCamera(config(folder / "m.avi", fps=None)) as camera:
        assert camera.fps == 25
        assert (camera.width, camera.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize(("mode", "channel"), [("rgb", 0), ("bgr", 2)])
def test_channel_order(folder: Path, mode: str, channel: int) -> None:
    with OpenCVCamera(config(folder, color_mode=mode)) as camera:
        corner = camera.latest_frame().image[0, 0]
    assert corner[channel] == 255
    assert corner[1] == 0


@pytest.mark.parametrize(("rotation", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (-90, (-1, 0))])
def test_rotation_is_clockwise_and_sizes_are_after_it(folder: Path, rotation: int, corner: tuple[int, int]) -> None:
    size = {"width": WIDTH, "height": HEIGHT} if rotation % 180 == 0 else {"width": HEIGHT, "height": WIDTH}
    with OpenCVCamera(config(folder, rotation=rotation, **size)) as camera:
        image = camera.latest_frame().image
    assert image.shape[:2] == (size["height"], size["width"])
    assert image[corner][0] == 255


def test_capture_times_follow_the_rate(folder: Path) -> None:
    with OpenCVCamera(config(folder, fps=50)) as camera:
        camera.async_read(timeout_ms=2000)
        before = camera.latest_frame()
        for _ in range(10):
            camera.async_read(timeout_ms=2000)
        after = camera.latest_frame()
    rate = (after.sequence - before.sequence) / (after.time_s - before.time_s)
    assert rate == pytest.approx(50, rel=0.2)
    assert after.time_s <= time.monotonic()


def test_read_returns_a_picture_captured_after_the_call(folder: Path) -> None:
    with OpenCVCamera(config(folder, fps=50)) as camera:
        before = time.monotonic()
        camera.read()
        assert camera.latest_frame().time_s > before


def test_a_picture_of_another_size_is_refused_and_the_camera_closed(folder: Path) -> None:
    camera = OpenCVCamera(config(folder, width=640, height=480))
    with pytest.raises(DeviceConnectionError, match="32x24 instead of 640x480"):
        camera.connect()
    assert not camera.is_connected
    assert camera._thread is None


@pytest.mark.parametrize("name", ["missing.mp4", "empty", "text.mp4"])
def test_what_cannot_be_opened_is_named(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(DeviceConnectionError, match=name):
        OpenCVCamera(config(tmp_path / name)).connect()


def test_use_before_connect(folder: Path) -> None:
    with pytest.raises(NotConnectedError):
        OpenCVCamera(config(folder)).latest_frame()


class Script:
    """A source that gives what it is told."""

    fps = 100.0

    def __init__(self, *given: np.ndarray | None) -> None:
        self.given = list(given)
        self.closed = False

    def read(self) -> tuple[float, np.ndarray] | None:
        time.sleep(0.005)
        image = self.given.pop(0) if len(self.given) > 1 else self.given[0]
        return None if image is None else (time.monotonic(), image)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch):
    def make(*given: np.ndarray | None, **fields: object) -> tuple[OpenCVCamera, Script]:
        script = Script(*given)
        monkeypatch.setattr("lerobot.opencv.camera.open_source", lambda config: script)
        return OpenCVCamera(config(Path("scripted"), **fields)), script

    return make


def test_an_unplugged_camera_says_so_in_every_call(scripted) -> None:
    camera, script = scripted(picture(0), None)
    camera.connect()
    for _ in range(200):
        if camera._newest_frame._failure:
            break
        time.sleep(0.02)
    with pytest.raises(DeviceError, match="unplugged"):
        camera.async_read(timeout_ms=2000)
    with pytest.raises(DeviceError, match="unplugged"):
        camera.latest_frame()
    camera.disconnect()
    assert script.closed


def test_a_short_gap_is_survived(scripted) -> None:
    camera, _ = scripted(picture(0), None, None, picture(1))
    with camera:
        while number_of(camera.async_read(timeout_ms=2000)) != 1:
            pass


def test_a_frozen_picture_is_noticed_once(scripted, caplog: pytest.LogCaptureFixture) -> None:
    camera, _ = scripted(picture(0), picture(1), frozen_after_s=0.05)
    with caplog.at_level(logging.WARNING), camera:
        for _ in range(40):
            camera.async_read(timeout_ms=2000)
        assert camera.is_frozen
    assert len([record for record in caplog.records if "same picture" in record.message]) == 1


def test_an_old_picture_is_refused_by_age(scripted) -> None:
    camera, _ = scripted(picture(0), None)
    with camera:
        time.sleep(0.06)
        with pytest.raises(DeviceTimeoutError, match="at most 50 ms"):
            camera.read_latest(max_age_ms=50)


# --- a device, where there is none: OpenCV's own interface is replaced ------------------------------------------------


class Capture:
    """Stands for `cv2.VideoCapture` of a camera that knows one size only."""

    def __init__(self, *_: object) -> None:
        self.values = {cv2.CAP_PROP_FRAME_WIDTH: 640.0, cv2.CAP_PROP_FRAME_HEIGHT: 480.0, cv2.CAP_PROP_FPS: 30.0}
        self.asked: list[int] = []
        self.stamp_ms = 0.0
        self.released = False

    def isOpened(self) -> bool:
        return True

    def set(self, setting: int, value: float) -> bool:
        self.asked.append(setting)
        return False

    def get(self, setting: int) -> float:
        return self.stamp_ms if setting == cv2.CAP_PROP_POS_MSEC else self.values.get(setting, 0.0)

    def grab(self) -> bool:
        return True

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, picture(0)

    def getBackendName(self) -> str:
        return "V4L2"

    def release(self) -> None:
        self.released = True


@pytest.fixture
def capture(monkeypatch: pytest.MonkeyPatch) -> Capture:
    device = Capture()
    monkeypatch.setattr(sources.cv2, "VideoCapture", lambda *_: device)
    return device


def test_the_pixel_format_is_asked_for_first(capture: Capture) -> None:
    sources.open_source(OpenCVCameraConfig(index_or_path=0, fourcc="MJPG", width=640, height=480, fps=30))
    assert capture.asked[0] == cv2.CAP_PROP_FOURCC


@pytest.mark.parametrize(("fields", "text"), [({"fps": 60}, "fps 30 instead of 60"), ({"width": 1280}, "width 640")])
def test_a_device_that_cannot_is_refused(capture: Capture, fields: dict[str, int], text: str) -> None:
    with pytest.raises(DeviceConnectionError, match=text):
        sources.open_source(OpenCVCameraConfig(index_or_path=0, **fields))
    assert capture.released


def test_a_rotated_device_is_asked_for_the_size_before_rotation(capture: Capture) -> None:
    sources.open_source(OpenCVCameraConfig(index_or_path=0, rotation=90, width=480, height=640))


@pytest.mark.parametrize(("offset_s", "taken"), [(0.02, True), (5.0, False), (-3.0, False)])
def test_the_drivers_time_is_taken_where_it_can_be_true(capture: Capture, offset_s: float, taken: bool) -> None:
    source = sources.open_source(OpenCVCameraConfig(index_or_path=0))
    capture.stamp_ms = (time.monotonic() - offset_s) * 1000
    read = source.read()
    assert read is not None
    assert (abs(read[0] - capture.stamp_ms / 1000) < 1e-6) is taken


def test_what_is_found_can_be_opened(capture: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "video3").touch()
    monkeypatch.setattr("lerobot.opencv.identity.DEVICES", tmp_path)
    (found,) = OpenCVCamera.find_cameras()
    assert found["name"] == f"OpenCV Camera @ {tmp_path / 'video3'}"
    assert found["default_stream_profile"] == {"format": 0.0, "fourcc": "", "width": 640, "height": 480, "fps": 30.0}
    assert str(OpenCVCamera.from_discovery(found).config.index_or_path) == found["id"]


# --- identity, configuration, several cameras -------------------------------------------------------------------------


def test_stable_names_prefer_the_serial_number(tmp_path: Path) -> None:
    device = tmp_path / "video0"
    device.touch()
    by_id, by_path = tmp_path / "by-id", tmp_path / "by-path"
    for place, link in ((by_path, "pci-0-usb-1"), (by_id, "usb-Acme_4711-index0")):
        place.mkdir()
        (place / link).symlink_to(device)
    (by_id / "usb-Other-index0").symlink_to(tmp_path / "video1")
    names = stable_names(str(device), (by_id, by_path))
    assert names == [str(by_id / "usb-Acme_4711-index0"), str(by_path / "pci-0-usb-1")]


@pytest.mark.parametrize(("given", "held"), [("0", 0), (0, 0), ("/dev/video0", Path("/dev/video0"))])
def test_numbers_stay_numbers_and_paths_stay_paths(given: object, held: object) -> None:
    assert OpenCVCameraConfig.model_validate({"index_or_path": given}).index_or_path == held


def test_a_robot_can_choose_it_by_name(folder: Path) -> None:
    class Rig(ConfigModel):
        cameras: dict[str, CameraConfig]

    rig = Rig.model_validate({"cameras": {"front": {"type": "opencv", "index_or_path": str(folder)}}})
    assert isinstance(rig.cameras["front"].build(), OpenCVCamera)


def test_cameras_of_a_robot_open_and_read_together(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    shape = {"width": WIDTH, "height": HEIGHT}
    cameras = CameraSet({name: config(folder, fps=50, **shape) for name in ("left", "right")})
    assert cameras.features["left"].shape == (HEIGHT, WIDTH, 3)
    with caplog.at_level(logging.WARNING):
        cameras.connect(measure_s=0.3)
    observation = Observation()
    cameras.read_into(observation)
    assert observation["right"].shape == (HEIGHT, WIDTH, 3)
    assert observation.stamps["left"].sequence is not None
    cameras.disconnect()
    assert not cameras.is_connected


def test_a_rate_that_is_not_reached_is_said() -> None:
    assert CameraRate(30, 20).is_short
    assert not CameraRate(30, 29.5).is_short


def test_one_missing_camera_closes_the_others_and_is_named(folder: Path) -> None:
    cameras = CameraSet({"left": config(folder, width=WIDTH, height=HEIGHT), "right": config(folder / "nothing")})
    with pytest.raises(DeviceConnectionError, match=r"1 of 2 cameras.*\n  right: .*nothing"):
        cameras.connect()
    assert not cameras["left"].is_connected

"""The fake camera: its pictures can be read back, its frames are counted, its faults happen."""

import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot.core.errors import DeviceError, DeviceTimeoutError
from lerobot.core.fake.camera import FakeCamera
from lerobot.core.fake.config import FakeCameraConfig
from lerobot.core.fake.pattern import FramePattern, read_frame_number


def camera(**fields: object) -> FakeCamera:
    return FakeCamera(FakeCameraConfig.model_validate({"width": 64, "height": 48, "fps": 200, **fields}))


@given(number=st.integers(0, 2**16 - 1), width=st.integers(32, 200), height=st.integers(32, 200))
def test_the_frame_number_can_be_read_from_the_picture(number: int, width: int, height: int) -> None:
    picture = FramePattern(width, height).draw(number)
    assert picture.shape == (height, width, 3)
    assert picture.dtype == np.uint8
    assert read_frame_number(picture) == number


@given(number=st.integers(0, 2**16 - 1), seed=st.integers(0, 100))
def test_the_frame_number_survives_noise(number: int, seed: int) -> None:
    picture = FramePattern(96, 64).draw(number).astype(float)
    noisy = picture + np.random.default_rng(seed).normal(0, 40, picture.shape)
    assert read_frame_number(noisy.clip(0, 255).astype(np.uint8)) == number


def test_the_number_is_also_drawn_for_people() -> None:
    """Frames 10 and 11 differ below the bar code, in the last digit."""
    pattern = FramePattern(64, 48)
    ten, eleven = pattern.draw(10)[6:], pattern.draw(11)[6:]
    columns = np.flatnonzero((ten != eleven).any(axis=(0, 2)))
    # Digits are four columns of four pixels: the second one has three drawn columns from 16 on.
    assert columns.size
    assert set(columns) <= set(range(16, 28))


def test_the_picture_shows_the_sequence_number_of_its_frame() -> None:
    with camera() as device:
        for _ in range(5):
            device.read()
            frame = device.latest_frame()
            assert read_frame_number(frame.image) == frame.sequence


def test_every_frame_is_delivered_once_by_async_read() -> None:
    with camera() as device:
        numbers = [read_frame_number(device.async_read(timeout_ms=2000)) for _ in range(20)]
    assert numbers == sorted(set(numbers))


def test_a_frozen_camera_gets_old_without_an_error() -> None:
    with camera(freezes_after=2) as device:
        deadline = time.monotonic() + 5
        while device.latest_frame().sequence < 1 and time.monotonic() < deadline:
            time.sleep(0.005)
        device.async_read(timeout_ms=2000)
        with pytest.raises(DeviceTimeoutError, match="no new picture"):
            device.async_read(timeout_ms=50)
        assert device.latest_frame().sequence == 1
        with pytest.raises(DeviceTimeoutError, match="ms old"):
            device.read_latest(max_age_ms=10)


def test_a_dead_camera_says_so() -> None:
    def read_on(device: FakeCamera) -> None:
        while True:
            device.async_read(timeout_ms=2000)

    with pytest.raises(DeviceError, match="died after 1"), camera(dies_after=1) as device:
        read_on(device)


def test_a_late_frame_keeps_its_capture_time() -> None:
    with camera(frame_delay_s=0.05) as device:
        device.read()
        assert time.monotonic() - device.latest_frame().time_s >= 0.05


def test_without_numpy_one_line_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['numpy'] = None\n"
        "from lerobot.core.fake.config import FakeCameraConfig, FakeRobotConfig\n"
        "robot = FakeRobotConfig().build(); robot.connect(calibrate=False); robot.get_observation()\n"
        "robot.disconnect()\n"
        "try: FakeCameraConfig().build()\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "'numpy'" in result.stdout
    assert "uv pip install './packages/lerobot-core[cameras]'" in result.stdout

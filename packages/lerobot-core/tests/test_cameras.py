"""Several cameras as one: opened together, read together, measured together."""

import logging

import pytest

from lerobot.core.cameras import CameraRate, CameraSet
from lerobot.core.errors import DeviceConnectionError
from lerobot.core.fake.config import FakeCameraConfig
from lerobot.core.types import Observation


def config(**fields: object) -> FakeCameraConfig:
    return FakeCameraConfig(width=32, height=32, fps=fields.pop("fps", 100), **fields)


@pytest.fixture
def cameras():
    cameras = CameraSet({"left": config(), "right": config()})
    yield cameras
    cameras.disconnect()


def test_features_are_known_before_connecting(cameras: CameraSet) -> None:
    assert list(cameras.features) == ["left", "right"]
    assert cameras.features["left"].shape == (32, 32, 3)
    assert cameras.features["left"].dtype == "uint8"


def test_pictures_come_with_time_and_number(cameras: CameraSet) -> None:
    cameras.connect()
    assert cameras.is_connected
    observation = Observation()
    cameras.read_into(observation)
    for name, spec in cameras.features.items():
        assert observation[name].shape == spec.shape
        assert observation.stamps[name].sequence is not None


def test_rates_are_measured_over_the_same_time(cameras: CameraSet) -> None:
    cameras.connect()
    rates = cameras.measure(0.3)
    assert set(rates) == {"left", "right"}
    assert all(rate.measured_hz > 0 for rate in rates.values())


def test_a_shortfall_is_said_by_name(caplog: pytest.LogCaptureFixture) -> None:
    cameras = CameraSet({"slow": config(freezes_after=2)})
    with caplog.at_level(logging.WARNING):
        cameras.connect(measure_s=0.3)
    cameras.disconnect()
    assert "'slow' gives" in caplog.text


@pytest.mark.parametrize(("measured", "short"), [(30.0, False), (28.6, False), (28.0, True), (0.0, True)])
def test_one_picture_in_twenty_may_be_missing(measured: float, short: bool) -> None:
    assert CameraRate(30.0, measured).is_short is short


def test_one_broken_camera_closes_the_others_and_is_named(cameras: CameraSet) -> None:
    cameras["left"].connect()
    with pytest.raises(
        DeviceConnectionError, match=r"1 of 2 cameras could not be opened.\n  left: .*already connected"
    ):
        cameras.connect()
    assert not cameras["left"].is_connected
    assert not cameras["right"].is_connected


def test_no_cameras_is_fine() -> None:
    cameras = CameraSet({})
    cameras.connect()
    assert cameras.is_connected
    observation = Observation()
    cameras.read_into(observation)
    assert observation == {}
    cameras.disconnect()

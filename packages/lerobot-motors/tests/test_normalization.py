"""Units against an independent statement of the formulas, in numpy, on 10^5 random values per mode."""

import numpy as np
import pytest

from lerobot.core.errors import CalibrationError
from lerobot.motors import MotorCalibration, MotorNormMode, MotorValueError
from lerobot.motors.normalization import normalize, unnormalize

N = 100_000


def reference_to_user(raw, low, high, drive, mode, resolution):
    """From the specification of the formulas: limited modes clip, degrees do not and ignore the drive mode."""
    if mode is MotorNormMode.DEGREES:
        return (raw - (low + high) / 2) * 360 / (resolution - 1)
    part = (np.clip(raw, low, high) - low) / (high - low)
    if mode is MotorNormMode.RANGE_M100_100:
        return np.where(drive, -(part * 200 - 100), part * 200 - 100)
    return np.where(drive, 100 - part * 100, part * 100)


def reference_to_raw(value, low, high, drive, mode, resolution):
    if mode is MotorNormMode.DEGREES:
        return np.trunc(value * (resolution - 1) / 360 + (low + high) / 2).astype(int)
    if mode is MotorNormMode.RANGE_M100_100:
        limited = np.clip(np.where(drive, -value, value), -100, 100)
        return np.trunc((limited + 100) / 200 * (high - low) + low).astype(int)
    limited = np.clip(np.where(drive, 100 - value, value), 0, 100)
    return np.trunc(limited / 100 * (high - low) + low).astype(int)


@pytest.fixture
def cases():
    rng = np.random.default_rng(0)
    low = rng.integers(0, 2048, N)
    high = low + rng.integers(1, 2048, N)
    return rng.integers(-5000, 9000, N), low, high, rng.integers(0, 2, N), rng.uniform(-400, 400, N)


@pytest.mark.parametrize("resolution", [4096, pytest.param(1024, marks=pytest.mark.slow)])
@pytest.mark.parametrize("mode", list(MotorNormMode))
@pytest.mark.parametrize("honours", [True, False])
def test_every_value_equals_the_formula(cases, mode, resolution, honours) -> None:
    raw, low, high, drive, value = cases
    effective = drive * honours
    entries = [MotorCalibration(1, int(d), 0, int(a), int(b)) for d, a, b in zip(drive, low, high, strict=True)]

    user = [
        normalize(int(r), entry, mode, resolution, honours_drive_mode=honours)
        for r, entry in zip(raw, entries, strict=True)
    ]
    np.testing.assert_array_equal(user, reference_to_user(raw, low, high, effective, mode, resolution))

    steps = [
        unnormalize(float(v), entry, mode, resolution, honours_drive_mode=honours)
        for v, entry in zip(value, entries, strict=True)
    ]
    np.testing.assert_array_equal(steps, reference_to_raw(value, low, high, effective, mode, resolution))


def test_known_values() -> None:
    """One step is 360/4095 degrees; the middle of the range, not of the encoder, is zero."""
    entry = MotorCalibration(1, 0, 0, 1000, 3000)
    assert normalize(2001, entry, MotorNormMode.DEGREES, 4096, honours_drive_mode=True) == pytest.approx(
        0.087912, abs=1e-6
    )
    assert normalize(500, entry, MotorNormMode.RANGE_0_100, 4096, honours_drive_mode=True) == 0
    assert unnormalize(-0.05, entry, MotorNormMode.DEGREES, 4096, honours_drive_mode=True) == 1999
    reversed_entry = MotorCalibration(1, 1, 0, 1000, 3000)
    assert normalize(1500, reversed_entry, MotorNormMode.RANGE_M100_100, 4096, honours_drive_mode=True) == 50
    assert normalize(1500, reversed_entry, MotorNormMode.RANGE_M100_100, 4096, honours_drive_mode=False) == -50


@pytest.mark.parametrize("mode", list(MotorNormMode))
def test_an_empty_range_is_refused(mode) -> None:
    with pytest.raises(CalibrationError, match="2048"):
        normalize(1, MotorCalibration(1, 0, 0, 2048, 2048), mode, 4096, honours_drive_mode=True)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_never_becomes_a_position(value) -> None:
    with pytest.raises(MotorValueError):
        unnormalize(value, MotorCalibration(1, 0, 0, 0, 4095), MotorNormMode.DEGREES, 4096, honours_drive_mode=True)

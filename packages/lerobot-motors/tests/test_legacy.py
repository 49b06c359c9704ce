import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot.core.errors import CalibrationError, FeatureMismatchError
from lerobot.core.processors import action_processor, robot_action_pipeline
from lerobot.core.registry import registry
from lerobot.dynamixel import DynamixelMotorsBus
from lerobot.feetech import FeetechMotorsBus
from lerobot.motors import MotorCalibration, MotorNormMode, save_calibration
from lerobot.motors.legacy.calibration import LegacyMode, LegacyMotorCalibration, is_legacy, load_legacy_calibration
from lerobot.motors.legacy.config import LegacyPositionsConfig
from lerobot.motors.legacy.step import LegacyPositionsProcessorStep, convert_position

TURN = 4096
OLD = {
    "motor_names": ["shoulder_pan", "gripper"],
    "calib_mode": ["DEGREE", "LINEAR"],
    "drive_mode": [1, 0],
    "homing_offset": [3000, -2430],
    "start_pos": [1973, 2044],
    "end_pos": [2788, 3454],
}
NEW = {"shoulder_pan": MotorCalibration(1, 0, 953, 1000, 3094), "gripper": MotorCalibration(6, 0, 700, 1344, 2754)}

motor = st.builds(
    LegacyMotorCalibration,
    calib_mode=st.just(LegacyMode.DEGREE),
    drive_mode=st.sampled_from([0, 1]),
    homing_offset=st.integers(-8192, 8192),
    start_pos=st.just(0),
    end_pos=st.just(0),
) | st.builds(
    LegacyMotorCalibration,
    calib_mode=st.just(LegacyMode.LINEAR),
    drive_mode=st.sampled_from([0, 1]),
    homing_offset=st.just(0),
    start_pos=st.integers(0, 2000),
    end_pos=st.integers(2001, 4095),
)


def test_every_old_file_loads_and_gives_the_positions_of_its_release(calibration_files) -> None:
    """The formula of lerobot 0.3 written out over whole arms, on 100,000 positions."""
    files = [path for path in calibration_files if is_legacy(json.loads(path.read_text()))]
    assert len(files) > 50
    raw = np.random.default_rng(0).integers(-2 * TURN, 2 * TURN, 100_000 // len(files) + 1)
    for path in files:
        content = json.loads(path.read_text())
        loaded = load_legacy_calibration(path)
        assert list(loaded) == content["motor_names"]
        for index, entry in enumerate(loaded.values()):
            if content["calib_mode"][index] == "LINEAR":
                start, end = content["start_pos"][index], content["end_pos"][index]
                if start == end:  # One file was made without opening the gripper.
                    with pytest.raises(CalibrationError, match="empty"):
                        entry.normalize(0, TURN)
                    continue
                expected = (raw - start) / (end - start) * 100
            else:
                sign = -1 if content["drive_mode"][index] else 1
                expected = (sign * raw + content["homing_offset"][index]) / 2048 * 180
            np.testing.assert_allclose([entry.normalize(value, TURN) for value in raw], expected, rtol=0, atol=1e-9)


@given(motor, st.integers(-8192, 8192))
def test_a_position_and_back(motor, raw) -> None:
    assert motor.unnormalize(motor.normalize(raw, TURN), TURN) == pytest.approx(raw, abs=1e-6)


@pytest.mark.parametrize(("make", "bus"), [("feetech", FeetechMotorsBus), ("dynamixel", DynamixelMotorsBus)])
@given(motor, st.integers(0, TURN - 1), st.integers(0, TURN - 1), st.sampled_from(list(MotorNormMode)))
def test_the_same_pose_is_what_the_arm_reports_today(make, bus, motor, encoder, middle, mode) -> None:
    """An encoder position, once through the old calibration and the conversion, once through today's bus."""
    model = "sts3215" if bus is FeetechMotorsBus else "xl330-m288"
    bus = bus("/dev/none", {})
    offset = bus.homing_offset(model, middle)
    calibration = MotorCalibration(1, 0, offset, 700, 3300)
    reported = bus.homed(model, encoder, offset) % TURN
    converted = convert_position(motor.normalize(encoder, TURN), motor, calibration, mode, motors=make)
    degrees = (reported - 2000) * 360 / 4095
    within = (min(3300, max(700, reported)) - 700) / 2600
    expected = {
        MotorNormMode.DEGREES: degrees,
        MotorNormMode.RANGE_M100_100: within * 200 - 100,
        MotorNormMode.RANGE_0_100: within * 100,
    }[mode]
    assert converted == pytest.approx(expected, abs=1e-9)


@pytest.fixture
def config(tmp_path) -> LegacyPositionsConfig:
    (tmp_path / "old.json").write_text(json.dumps(OLD))
    save_calibration(tmp_path / "new.json", NEW)
    return LegacyPositionsConfig(legacy_calibration=tmp_path / "old.json", calibration=tmp_path / "new.json")


def test_the_step_is_found_by_name_and_converts_an_old_action(config) -> None:
    assert registry.config_class("processor", "legacy_positions_processor") is LegacyPositionsConfig
    step = LegacyPositionsProcessorStep(config)
    process = action_processor(robot_action_pipeline([step]))
    # Old 0 degrees is encoder 3000, which a motor homed by 953 reports as 2047: the middle of its travel.
    assert process({"main_shoulder_pan": 0.0, "main_gripper": 50.0}, {}) == {
        "shoulder_pan.pos": pytest.approx(0.0),
        "gripper.pos": pytest.approx((2749 - 700 - 1344) / (2754 - 1344) * 100),
    }
    # Old degrees count against the encoder of this joint, today's with it.
    assert process({"shoulder_pan.pos": 90.0, "gripper.pos": 0.0}, {})["shoulder_pan.pos"] == pytest.approx(
        -1024 * 360 / 4095
    )


def test_actions_and_arms_that_do_not_fit_are_named(config) -> None:
    step = LegacyPositionsProcessorStep(config)
    with pytest.raises(FeatureMismatchError, match="main_elbow_flex"):
        step.action({"main_elbow_flex": 0.0})
    save_calibration(config.calibration, {"shoulder_pan": NEW["shoulder_pan"]})
    with pytest.raises(CalibrationError, match="gripper"):
        LegacyPositionsProcessorStep(config)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (MotorCalibration(6, 0, 700, 2754, 1344), "gripper: range_min is 2754"),
        (MotorCalibration(6, 0, 700, 1344, 5000), "gripper: range_max is 5000"),
        (MotorCalibration(6, 0, 2114, 1344, 2754), "gripper: homing_offset is 2114; allowed is -2047 to 2047"),
        (MotorCalibration(1, 0, 700, 1344, 2754), "gripper: id is 1, which shoulder_pan has"),
    ],
)
def test_an_impossible_calibration_of_today_converts_nothing(config, entry, told) -> None:
    save_calibration(config.calibration, {**NEW, "gripper": entry})
    with pytest.raises(CalibrationError, match=told):
        LegacyPositionsProcessorStep(config)


def test_an_old_calibration_without_travel_converts_nothing(config) -> None:
    config.legacy_calibration.write_text(json.dumps(OLD | {"end_pos": [2788, 2044]}))
    with pytest.raises(CalibrationError, match="the travel of gripper is empty"):
        LegacyPositionsProcessorStep(config)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"calib_mode": ["DEGREE", "TURN"]}, "'TURN'"),
        ({"drive_mode": [0]}, "damaged"),
        ({"drive_mode": 3}, "damaged"),
        ({"homing_offset": [1, 2.5]}, "2.5"),
        ({"motor_names": ["gripper", "gripper"]}, "a name twice"),
        ({"drive_mode": [0, 2]}, "drive_mode of motor 'gripper' is 2"),
    ],
)
def test_a_damaged_old_file_is_refused(tmp_path, change, told) -> None:
    path = tmp_path / "old.json"
    path.write_text(json.dumps(OLD | change))
    with pytest.raises(CalibrationError, match=told):
        load_legacy_calibration(path)


@pytest.mark.parametrize(("text", "told"), [("{", "no JSON"), ("{}", "no calibration"), (None, "cannot be read")])
def test_what_is_no_old_file_is_refused(tmp_path, text, told) -> None:
    path = Path(tmp_path / "old.json")
    if text is not None:
        path.write_text(text)
    with pytest.raises(CalibrationError, match=told):
        load_legacy_calibration(path)

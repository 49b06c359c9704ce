"""What is particular to the exoskeleton and the glove: lines of text, tendons from fingers, smoothing, age."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.errors import CalibrationError, DeviceConnectionError, DeviceTimeoutError
from lerobot.core.testing import ScriptedPrompter
from lerobot.hope_jr.config import HomunculusArmConfig, HomunculusGloveConfig
from lerobot.hope_jr.exoskeleton import HomunculusArm
from lerobot.hope_jr.glove import HomunculusGlove, hand_positions
from lerobot.hope_jr.homunculus import MAX_AGE_S, Homunculus, RunningMean
from lerobot.hope_jr.sensors import EXOSKELETON, GLOVES
from lerobot.hope_jr.tables import HAND_JOINTS
from lerobot.motors import MotorCalibration, load_calibration, save_calibration

GOLDEN = Path(__file__).resolve().parents[4] / "shared" / "data" / "golden" / "hardware" / "homunculus"


def device_of(kind: str, port: str, folder: Path, **fields: Any) -> Homunculus:
    if kind == "arm":
        return HomunculusArm(HomunculusArmConfig(port=port, id="golden", calibration_dir=folder, **fields))
    side = kind.removeprefix("glove_")
    return HomunculusGlove(HomunculusGloveConfig(port=port, side=side, id="golden", calibration_dir=folder, **fields))


@pytest.mark.parametrize("kind", ["glove_right", "glove_left", "arm"])
def test_a_line_means_what_it_means_to_the_peer(kind: str, wearable: Callable[[str], Any], tmp_path: Path) -> None:
    if not GOLDEN.is_dir():
        pytest.skip("the shared captures are not here")
    golden = json.loads((GOLDEN / "values.json").read_text())[kind]
    (tmp_path / "golden.json").write_text(json.dumps(golden["calibration"], indent=4))
    worn = wearable((GOLDEN / f"{kind.partition('_')[0]}_line.txt").read_text().strip())
    with device_of(kind, worn.port, tmp_path) as device:
        action = device.get_action()
        assert dict(action) == pytest.approx(golden["action"])
        assert list(action) == list(device.action_features)
        modes = {joint: (i, sensor.drive_mode) for i, (joint, sensor) in enumerate(device._sensors.items())}
        assert modes == {joint: (entry["id"], entry["drive_mode"]) for joint, entry in golden["calibration"].items()}


@pytest.mark.parametrize("kind", ["glove_right", "glove_left", "arm"])
def test_a_calibration_is_that_of_the_movement(
    kind: str, wearable: Callable[[str], Any], wearer: Any, tmp_path: Path
) -> None:
    fields, sensors = (21, EXOSKELETON) if kind == "arm" else (16, GLOVES[kind.removeprefix("glove_")])
    worn = wearable(" ".join(["2000"] * fields))
    device = device_of(kind, worn.port, tmp_path)
    device.prompter = person = wearer(worn, fields)
    device.connect()
    assert len(person.asked) == (1 if kind == "arm" else 5)
    found = load_calibration(tmp_path / "golden.json")
    assert found == {
        name: MotorCalibration(i, sensor.drive_mode, 0, 500, 3500) for i, (name, sensor) in enumerate(sensors.items())
    }
    assert set(device.get_action()) == set(device.action_features)
    device.disconnect()


def test_a_joint_that_did_not_move_is_named(wearable: Callable[[str], Any], tmp_path: Path) -> None:
    worn = wearable(" ".join(["2000"] * 16))
    device = device_of("glove_left", worn.port, tmp_path)
    device.prompter = ScriptedPrompter()
    with pytest.raises(CalibrationError, match="'thumb_cmc' moved by 0 steps"):
        device.connect()
    assert not (tmp_path / "golden.json").exists()
    assert not device.is_connected


def test_without_a_person_it_says_how_to_calibrate(wearable: Callable[[str], Any], tmp_path: Path) -> None:
    class Nobody(ScriptedPrompter):
        def ask(self, text: str) -> str:
            raise EOFError(text)

    device = device_of("arm", wearable(" ".join(["2000"] * 21)).port, tmp_path)
    device.prompter = Nobody()
    with pytest.raises(CalibrationError, match="nobody is at the terminal") as caught:
        device.connect()
    assert "lerobot calibrate" in caught.value.hint
    device.connect(calibrate=False)
    with pytest.raises(CalibrationError, match="not calibrated"):
        device.get_action()
    device.disconnect()


def test_a_file_of_another_device_is_refused_and_replaced(
    wearable: Callable[[str], Any], wearer: Any, tmp_path: Path
) -> None:
    save_calibration(tmp_path / "golden.json", {"elbow_flex": MotorCalibration(0, 0, 0, 1, 2)})
    worn = wearable(" ".join(["2000"] * 21))
    device = device_of("arm", worn.port, tmp_path)
    with pytest.raises(CalibrationError, match="elbow_flex: id is 0"):
        device.connect()
    device.connect(calibrate=False)
    device.prompter = wearer(worn, 21)
    device.calibrate()
    device.disconnect()
    device.connect()
    device.disconnect()


def test_a_silent_device_is_no_device(wearable: Callable[[str], Any], calibrations: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("lerobot.hope_jr.homunculus.FIRST_LINE_S", 0.05)
    worn = wearable("1 2 3")
    device = HomunculusArm(HomunculusArmConfig(port=worn.port, id="exoskeleton", calibration_dir=calibrations))
    with pytest.raises(TimeoutError, match="No line of 21 integers"):
        device.connect()
    assert not device.is_connected


def test_an_old_reading_is_no_command(wearable: Callable[[str], Any], calibrations: Path, monkeypatch: Any) -> None:
    worn = wearable(" ".join(["2000"] * 21))
    with HomunculusArm(HomunculusArmConfig(port=worn.port, id="exoskeleton", calibration_dir=calibrations)) as device:
        device.get_action()
        worn.switch_off()
        monkeypatch.setattr("lerobot.hope_jr.homunculus.MAX_AGE_S", 0.0)
        with pytest.raises(DeviceTimeoutError, match="for 0 s"):
            device.get_action()
    assert MAX_AGE_S == 0.5


def read_on(device: Homunculus) -> None:
    while True:
        device.get_action()


def test_a_device_that_is_pulled_out_is_noticed(wearable: Callable[[str], Any], calibrations: Path) -> None:
    worn = wearable(" ".join(["2000"] * 21))
    device = HomunculusArm(HomunculusArmConfig(port=worn.port, id="exoskeleton", calibration_dir=calibrations))
    device.connect()
    worn.unplug()
    with pytest.raises(DeviceConnectionError, match="was lost"):
        read_on(device)
    device.disconnect()


def test_a_mean_follows_with_the_weight_of_the_sheet() -> None:
    mean = RunningMean(10)
    for value in (100.0, 200.0, 200.0):
        mean.add({"joint": value})
    assert mean.values["joint"] == pytest.approx(200 - 100 * (9 / 11) ** 2)


def test_each_smooths_what_the_sheet_says(calibrations: Path, monkeypatch: Any) -> None:
    """The glove smooths readings, the exoskeleton what is limited to the range already."""
    lines = [(2000,) * 21, (9000,) * 21]
    arm = HomunculusArm(HomunculusArmConfig(port="x", id="exoskeleton", calibration_dir=calibrations))
    glove = HomunculusGlove(HomunculusGloveConfig(port="x", side="right", id="glove", calibration_dir=calibrations))
    for device in (arm, glove):
        monkeypatch.setattr(device, "_connected", True)
        monkeypatch.setattr(device._lines, "take", lambda _: lines)
    assert arm.get_action()["elbow_flex.pos"] == pytest.approx(100 * 2 / 51)
    smoothed = round(2000 + 7000 * 2 / 11)
    assert glove.get_action()["index_pip_dip.pos"] == pytest.approx((smoothed - 500) / 30)


def test_fingers_become_tendons() -> None:
    glove = dict.fromkeys(GLOVES["right"], 0.0) | {"thumb_dip": 40.0, "index_dip": 30.0}
    straight = hand_positions(glove)
    assert set(straight) == set(HAND_JOINTS)
    assert (straight["thumb_dip"], straight["index_pip_dip"]) == (40.0, 30.0)
    bent = hand_positions(glove | {"pinky_mcp_flexion": 80.0, "pinky_mcp_abduction": 20.0})
    assert (bent["pinky_radial_flexor"], bent["pinky_ulnar_flexor"]) == (50.0, 30.0)
    splayed = hand_positions(glove | {"ring_mcp_abduction": -100.0})
    assert (splayed["ring_radial_flexor"], splayed["ring_ulnar_flexor"]) == (0.0, 30.0)

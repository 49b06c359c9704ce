"""The exoskeleton: angles from pairs of readings, its calibration, its sticks, and what goes wrong on a cable."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from lerobot.core.errors import CalibrationError, DeviceConnectionError, DeviceError, DeviceTimeoutError
from lerobot.core.testing import ScriptedPrompter
from lerobot.unitree_g1.calibration import SENSORS, load_calibration, save_calibration
from lerobot.unitree_g1.config import ExoskeletonPort, UnitreeG1TeleoperatorConfig
from lerobot.unitree_g1.ellipse import ADC_HALF, JointFit, fit_ellipse, mean_angle
from lerobot.unitree_g1.teleoperator import Exoskeleton

SHARED = next((parent / "shared" for parent in Path(__file__).parents if (parent / "shared").is_dir()), None)


@pytest.fixture
def golden() -> Any:
    file = SHARED / "data/golden/hardware/unitree_g1/exoskeleton.json" if SHARED else None
    if file is None or not file.is_file():
        pytest.skip("../shared, with the recorded lines, is absent")
    return json.loads(file.read_text())


@pytest.fixture
def make(worn: Any, calibrations: Path) -> Callable[..., Exoskeleton]:
    def make(prompter: Any = None, **fields: Any) -> Exoskeleton:
        ports = {f"{side}_arm_config": ExoskeletonPort(port=getattr(worn, side).port) for side in ("left", "right")}
        config = UnitreeG1TeleoperatorConfig(**{**ports, "id": "exo", "calibration_dir": calibrations, **fields})
        return Exoskeleton(config, prompter=prompter or ScriptedPrompter())

    return make


# --- angles ----------------------------------------------------------------------------------------------------------


def test_angles_are_those_of_huggingface_lerobot(golden: Any, tmp_path: Path) -> None:
    (tmp_path / "left.json").write_text(json.dumps(golden["calibration"]))
    fits = load_calibration(tmp_path / "left.json", "left")
    assert len(golden["rows"]) == 6
    for row in golden["rows"]:
        line = [int(text) for text in row["line"].split()]
        angles = {name: fits[name].angle(line[sine], line[cosine]) for name, (sine, cosine) in SENSORS.items()}
        assert angles == pytest.approx(row["angles"], abs=1e-12)


def test_a_calibration_is_written_as_huggingface_lerobot_does(golden: Any, tmp_path: Path) -> None:
    (tmp_path / "theirs.json").write_text(json.dumps(golden["calibration"], indent=2))
    save_calibration(tmp_path / "ours.json", "left", load_calibration(tmp_path / "theirs.json", "left"))
    assert (tmp_path / "ours.json").read_text() == (tmp_path / "theirs.json").read_text()


@pytest.mark.parametrize("arc", [2 * math.pi, math.pi])
@pytest.mark.parametrize("tilt", [0.0, 0.4, 1.6, -2.5])
def test_an_ellipse_is_found_among_wrong_readings(arc: float, tilt: float) -> None:
    rng = np.random.default_rng(3)
    turn = rng.uniform(0, arc, 600)
    rotation = np.array([[math.cos(tilt), -math.sin(tilt)], [math.sin(tilt), math.cos(tilt)]])
    points = (rotation @ np.stack([900 * np.cos(turn), 650 * np.sin(turn)])).T + np.array([40.0, -60.0]) + ADC_HALF
    points += rng.normal(0, 2, points.shape)
    points[:15] = rng.uniform(0, 4095, (15, 2))
    fit = fit_ellipse(points)
    assert fit.center == pytest.approx((40, -60), abs=12)
    found = np.array([fit.on_circle(y, x) for x, y in points[15:]])
    off = np.angle(np.exp(1j * (found - turn[15:])))
    assert np.ptp(np.angle(np.exp(1j * (off - mean_angle(off))))) < 0.08, "the same angle everywhere, but for its zero"


POINT = [(2000.0, 2000.0)] * 60
LINE = [(float(i), 2.0 * i) for i in range(60)]
PARABOLA = [(float(i), i * i / 90) for i in range(60)]


@pytest.mark.parametrize("points", [POINT, LINE, PARABOLA])
def test_points_that_lie_on_no_ellipse_are_refused(points: list[tuple[float, float]]) -> None:
    with pytest.raises(CalibrationError, match="on no ellipse"):
        fit_ellipse(points)


def test_angles_on_both_sides_of_pi_have_a_mean() -> None:
    assert abs(mean_angle([math.pi - 0.1, -math.pi + 0.3])) == pytest.approx(math.pi - 0.1)


# --- what is worn ----------------------------------------------------------------------------------------------------


def test_it_gives_the_angles_at_which_it_is_held(worn: Any, make: Callable[..., Exoskeleton]) -> None:
    with make() as exoskeleton:
        for angle in (-2.0, -0.5, 0.0, 1.2, 2.9):
            worn.hold(elbow_flex=angle, wrist_roll=-angle)
            expected = {"left_elbow_flex.pos": angle, "right_wrist_roll.pos": -angle, "left_shoulder_yaw.pos": 0.0}
            assert list(gives(exoskeleton, expected, 2e-3)) == list(exoskeleton.action_features)


def gives(exoskeleton: Exoskeleton, expected: dict[str, float], within: float = 1e-9) -> dict[str, float]:
    """Wait until it gives this: what was printed is read a moment later."""
    end = time.monotonic() + 20
    while True:
        action = exoskeleton.get_action()
        if all(abs(action[key] - value) <= within for key, value in expected.items()):
            return action
        assert time.monotonic() < end, (action, expected)
        time.sleep(0.002)


def test_sticks_rest_where_they_were_at_first(worn: Any, make: Callable[..., Exoskeleton]) -> None:
    with make() as exoskeleton:
        gives(exoskeleton, {"remote.lx": 0.0, "remote.ly": 0.0, "remote.rx": 0.0, "remote.ry": 0.0})
        worn.stick, worn.pushed = (4095, 0), True
        worn.hold()
        gives(exoskeleton, {"remote.lx": 1.0, "remote.ly": -1.0})
        worn.stick = (2000 + 1000, 2100 - 500)
        worn.hold()
        gives(exoskeleton, {"remote.rx": 1000 / ADC_HALF, "remote.ry": -500 / ADC_HALF})


def test_a_hand_without_a_stick_leads_nowhere(worn: Any, make: Callable[..., Exoskeleton]) -> None:
    for arm in (worn.left, worn.right):
        arm.text = arm.text.replace(" 4000 ", " 50 ")
    with make() as exoskeleton:
        worn.stick = (4000, 100)
        worn.hold(elbow_flex=1.0)
        gives(exoskeleton, {"right_elbow_flex.pos": 1.0, "left_elbow_flex.pos": 1.0}, 2e-3)
        gives(exoskeleton, {"remote.lx": 0.0, "remote.ly": 0.0, "remote.rx": 0.0, "remote.ry": 0.0})


def test_calibrating_finds_what_the_sensors_are(
    worn: Any, wearer: Callable[..., Any], make: Callable[..., Exoskeleton], tmp_path: Path
) -> None:
    with make(wearer(worn), id="fresh", calibration_dir=tmp_path / "new") as exoskeleton:
        assert sorted(file.name for file in (tmp_path / "new").iterdir()) == ["fresh_left.json", "fresh_right.json"]
        for angle in (-1.2, 0.0, 0.9):
            worn.hold(**dict.fromkeys(SENSORS, angle))
            gives(exoskeleton, {f"{side}_{name}.pos": angle for side in ("left", "right") for name in SENSORS}, 0.01)


def test_files_without_an_id_have_the_names_of_huggingface_lerobot(
    make: Callable[..., Exoskeleton], calibrations: Path
) -> None:
    for side in ("left", "right"):
        (calibrations / f"exo_{side}.json").rename(calibrations / f"{side}.json")
    with make(id=None) as exoskeleton:
        assert exoskeleton.is_calibrated


def test_a_joint_that_is_hardly_turned_is_named(
    worn: Any, wearer: Callable[..., Any], make: Callable[..., Exoskeleton], tmp_path: Path
) -> None:
    with pytest.raises(CalibrationError, match="shoulder_pitch of the left arm"):
        make(wearer(worn, 0.3), id="fresh", calibration_dir=tmp_path / "new").connect()
    assert not (tmp_path / "new").exists()


def test_nobody_at_the_terminal_is_told_what_to_do(make: Callable[..., Exoskeleton], tmp_path: Path) -> None:
    class Nobody(ScriptedPrompter):
        def ask(self, text: str) -> str:
            raise EOFError(text)

    with pytest.raises(CalibrationError, match="nobody is at the terminal") as caught:
        make(Nobody(), id="fresh", calibration_dir=tmp_path / "new").connect()
    assert "lerobot calibrate" in caught.value.hint


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content.update(version=1), "is no calibration of an exoskeleton"),
        (lambda content: content.update(side="right"), "is of the right arm"),
        (lambda content: content["joints"].pop(2), "has no shoulder_roll"),
        (lambda content: content["joints"][0].update(T=[[1.0, 0.0], [2.0, 0.0]]), "shoulder_pitch has no angle"),
        (lambda content: content["joints"][0].update(center_fit=["x", 1]), "shoulder_pitch is"),
        (lambda content: content["joints"][0].update(zero_offset=float("nan")), "shoulder_pitch has no angle"),
    ],
)
def test_a_file_that_is_no_calibration_is_refused(
    make: Callable[..., Exoskeleton], calibrations: Path, change: Callable[[Any], Any], said: str
) -> None:
    file = calibrations / "exo_left.json"
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(CalibrationError, match=said):
        make().connect()
    make().connect(calibrate=False)


def test_ports_are_given_for_both_arms_or_for_none() -> None:
    with pytest.raises(ValidationError, match="the ports of both arms"):
        UnitreeG1TeleoperatorConfig(left_arm_config=ExoskeletonPort(port="/dev/ttyACM0"))
    with pytest.raises(DeviceError, match="no port is given"):
        UnitreeG1TeleoperatorConfig(id="wbc_unitree").build()


# --- faults ----------------------------------------------------------------------------------------------------------


def watch(exoskeleton: Exoskeleton) -> None:
    """Read until there is nothing to read."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        exoskeleton.get_action()


def test_a_cable_that_is_pulled_is_named(worn: Any, make: Callable[..., Exoskeleton]) -> None:
    exoskeleton = make()
    exoskeleton.connect()
    worn.right.unplug()
    with pytest.raises(DeviceConnectionError):
        watch(exoskeleton)
    exoskeleton.disconnect()


def test_an_arm_that_falls_silent_gives_no_old_angles(worn: Any, make: Callable[..., Exoskeleton]) -> None:
    with make() as exoskeleton:
        worn.left.switch_off()
        with pytest.raises(DeviceTimeoutError, match=r"No line of 16 integers came .* for 0\.5 s"):
            watch(exoskeleton)


def test_garbage_and_longer_lines_are_read_as_they_should(worn: Any, make: Callable[..., Exoskeleton]) -> None:
    good = worn.left.text
    with make() as exoskeleton:
        worn.left.text = f"{good} 17 18\n-5 x\n\x00\x7f\n{good[:20]}"
        for _ in range(50):
            assert exoskeleton.get_action()["left_elbow_flex.pos"] == pytest.approx(0.0, abs=2e-3)


def test_a_fit_turns_the_way_the_joint_does() -> None:
    fit = JointFit((0.0, 0.0), ((0.001, 0.0), (0.0, 0.001)), 0.0)
    assert fit.angle(ADC_HALF + 1000 * math.sin(0.5), ADC_HALF + 1000 * math.cos(0.5)) == pytest.approx(-0.5)

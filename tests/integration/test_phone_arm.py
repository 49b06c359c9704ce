"""The virtual arm follows a phone: its page's messages over TLS, and the page itself in a browser."""

import ssl
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from phone_page import CHROMIUM, opened

from lerobot.core.config import ConfigModel, ProcessorStepConfig, RobotConfig
from lerobot.core.control.source import teleoperation_pipeline
from lerobot.core.safety import GatedRobot, SafetyConfig
from lerobot.kinematics.robot import RobotKinematics
from lerobot.phone.config import PhoneConfig
from lerobot.phone.teleoperator import Phone

sys.path.append(str(Path(__file__).parents[2] / "packages" / "lerobot-phone" / "tests"))

from web_phone import WebPhone, pose

FPS = 30
ARM = {"urdf_path": "so101"}
STEPS = [
    {"type": "map_phone_action_to_robot_action", "platform": "android", "heading_deg": -90},
    {"type": "ee_reference_and_delta", "kinematics": ARM, "end_effector_step_sizes": {"x": 1.0, "y": 1.0, "z": 1.0}},
    {
        "type": "ee_bounds_and_safety",
        "end_effector_bounds": {"min": [-0.6, -0.6, 0.0], "max": [0.6, 0.6, 0.7]},
        "raise_on_jump": False,
        "check_first_command": False,
    },
    {"type": "gripper_velocity_to_joint", "speed_factor": 3.0, "from_command": True},
    {"type": "inverse_kinematics_ee_to_joints", "kinematics": ARM},
]


class Rig(ConfigModel):
    robot: RobotConfig
    steps: list[ProcessorStepConfig]


class Follower:
    """An arm that follows a phone, tick by tick, through the safety gate.

    Attributes:
        phone: the teleoperator.
        measured: positions of the joints in the last tick.
    """

    def __init__(self, phone: Phone, gated: GatedRobot, pipeline: Any) -> None:
        self.phone = phone
        self.measured: dict[str, float] = {}
        self._gated = gated
        self._pipeline = pipeline
        self._kinematics = RobotKinematics("so101")

    def follow(self, seconds: float, before_tick: Callable[[], None] = lambda: None) -> None:
        """Follow for some time."""
        for _ in range(round(seconds * FPS)):
            begin = time.monotonic()
            before_tick()
            observation = self._gated.observe()
            self.measured = {key: float(observation[key]) for key in self._gated.robot.action_features}
            self._gated.send(self._pipeline((self.phone.get_action(), observation)))
            time.sleep(max(0.0, begin + 1 / FPS - time.monotonic()))

    @property
    def hand(self) -> np.ndarray:
        """Where the end effector is, `(3,)` metres."""
        angles = [self.measured[f"{name}.pos"] for name in self._kinematics.joint_names]
        return self._kinematics.forward_kinematics(angles)[:3, 3]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def arm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]) -> Iterator[Follower]:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))

    class Prompter:
        def say(self, text: str) -> None:
            told.append(text)

    rig = Rig.model_validate({"robot": {"type": "sim_so101"}, "steps": STEPS})
    robot, prompter = rig.robot.build(), Prompter()
    # Beside other programs nobody gives a steady thirty poses a second, least of all a browser without a graphics card.
    config = PhoneConfig(phone_os="android", port=0, max_age_s=1.5)
    phone = Phone(config, prompter=prompter)  # type: ignore[arg-type]
    pipeline = teleoperation_pipeline(rig.steps, phone, robot)
    with phone, GatedRobot.connected(robot, SafetyConfig(ramp_s=0.1)) as gated:
        gated.begin()
        yield Follower(phone, gated, pipeline)


def url(told: list[str]) -> str:
    return next(text.partition(": ")[2] for text in told if "https://" in text)


def test_the_arm_follows_and_a_closed_page_holds_it(arm: Follower, told: list[str], tmp_path: Path) -> None:
    tls = ssl.create_default_context(cafile=tmp_path / "phone" / "certificate.pem")
    arm.follow(0.2)
    begin = arm.hand
    way = 0.0
    with WebPhone(url(told), tls) as page:
        page.send(pose())

        def ahead() -> None:
            nonlocal way
            way = min(way + 0.002, 0.06)
            page.send(pose(True, y=way, z=-way, reservedButtonA=True))

        opening = arm.measured["gripper.pos"]
        arm.follow(3.0, ahead)
        moved = arm.hand - begin
        assert moved == pytest.approx([0.06, 0.0, 0.06], abs=0.015), "six centimetres ahead and up"
        assert arm.measured["gripper.pos"] > opening + 10
    arm.follow(0.6)
    stopped = arm.hand
    arm.follow(0.7)
    assert arm.hand == pytest.approx(stopped, abs=0.003), "the arm holds"
    assert not arm.phone.get_action()["phone.enabled"]


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_the_page_in_a_browser_moves_the_arm_until_its_tab_is_closed(arm: Follower, told: list[str]) -> None:
    arm.follow(0.2)
    begin = arm.hand
    with opened(url(told)) as page:
        page.until("document.readyState === 'complete' && !document.getElementById('start').disabled")
        page.run("document.getElementById('start').click()")
        page.until("document.getElementById('status').textContent.includes('Hold the page')")
        page.press("hold", down=True)
        page.until("document.getElementById('status').textContent.includes('follows')")
        page.run("{ let n = 0; const timer = setInterval(() => { n += 1; simulated.position = {x: 0, y: n * 0.001, "
                 "z: -n * 0.001}; if (n === 50) clearInterval(timer); }, 30); 0; }")  # fmt: skip
        arm.follow(4.0)
        assert arm.hand - begin == pytest.approx([0.05, 0.0, 0.05], abs=0.015)
        page.run("simulated.lost = true")
        page.until("document.getElementById('status').textContent.includes('does not know')")
        arm.follow(0.2)
        assert not arm.phone.get_action()["phone.enabled"], "tracking is lost"
        page.run("simulated.lost = false")
        page.until("document.getElementById('status').textContent.includes('Let go, and hold again')")
        page.press("hold", down=False)
        page.until("document.getElementById('status').textContent.includes('Hold the page')")
        page.press("hold", down=True)
        page.until("document.getElementById('status').textContent.includes('follows')")
        arm.follow(0.3)
        assert arm.phone.get_action()["phone.enabled"]
        page.close()
    arm.follow(0.6)
    stopped = arm.hand
    arm.follow(0.7)
    assert not arm.phone.get_action()["phone.enabled"]
    assert arm.hand == pytest.approx(stopped, abs=0.003)

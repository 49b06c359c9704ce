"""The arm against its published description, read and evaluated independently of MuJoCo."""

import xml.etree.ElementTree as ET
from pathlib import Path

import mujoco
import numpy as np
import pytest

from lerobot.sim.joints import JOINTS
from lerobot.sim.kinematics import Kinematics, pointing_down
from lerobot.sim.scene import build
from lerobot.sim.tasks import TASKS

URDF = Path(__file__).resolve().parents[4] / "shared/data/kinematics/so101_new_calib.urdf"
needs_urdf = pytest.mark.skipif(not URDF.exists(), reason="../shared/data is absent")


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    return build(TASKS["lift"]())


@pytest.fixture(scope="module")
def urdf() -> ET.Element:
    return ET.parse(URDF).getroot()


def rotation(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rodrigues' formula."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def numbers(text: str) -> np.ndarray:
    return np.array([float(part) for part in text.split()])


def origin(joint: ET.Element) -> tuple[np.ndarray, np.ndarray]:
    element = joint.find("origin")
    roll, pitch, yaw = numbers(element.get("rpy"))
    x, y, z = np.eye(3)
    return numbers(element.get("xyz")), rotation(z, yaw) @ rotation(y, pitch) @ rotation(x, roll)


def forward(urdf: ET.Element, angles: dict[str, float]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Place and axes of every link."""
    links = {"base_link": (np.zeros(3), np.eye(3))}
    joints = urdf.findall("joint")
    while joints:
        joint = next(joint for joint in joints if joint.find("parent").get("link") in links)
        joints.remove(joint)
        place, axes = links[joint.find("parent").get("link")]
        offset, turn = origin(joint)
        if joint.get("type") == "revolute":
            turn = turn @ rotation(numbers(joint.find("axis").get("xyz")), angles[joint.get("name")])
        links[joint.find("child").get("link")] = (place + axes @ offset, axes @ turn)
    return links


@needs_urdf
def test_the_tool_is_where_the_description_puts_it(model: mujoco.MjModel, urdf: ET.Element) -> None:
    """Over the whole range of every joint, within 0.1 mm; the axes of the joints are right with it."""
    data = mujoco.MjData(model)
    rng = np.random.default_rng(0)
    for _ in range(50):
        angles = {joint.name: rng.uniform(joint.low, joint.high) for joint in JOINTS}
        for name, angle in angles.items():
            data.joint(name).qpos[0] = angle
        mujoco.mj_kinematics(model, data)
        links = forward(urdf, angles)
        assert np.abs(data.site("tool").xpos - links["gripper_frame_link"][0]).max() < 1e-4
        assert np.abs(data.body("moving_jaw").xpos - links["moving_jaw_so101_v1_link"][0]).max() < 1e-4


@needs_urdf
def test_masses_are_the_descriptions(model: mujoco.MjModel, urdf: ET.Element) -> None:
    names = {"base": "base_link", "moving_jaw": "moving_jaw_so101_v1_link"}
    for body in ("base", "shoulder", "upper_arm", "lower_arm", "wrist", "gripper", "moving_jaw"):
        link = urdf.find(f"link[@name='{names.get(body, f'{body}_link')}']")
        assert model.body(body).mass[0] == pytest.approx(float(link.find("inertial/mass").get("value")))
        inertia = link.find("inertial/inertia")
        moments = np.diag([float(inertia.get(key)) for key in ("ixx", "iyy", "izz")])
        for (row, column), key in {(0, 1): "ixy", (0, 2): "ixz", (1, 2): "iyz"}.items():
            moments[row, column] = moments[column, row] = float(inertia.get(key))
        principal = np.sort(np.linalg.eigvalsh(moments))
        assert np.sort(model.body(body).inertia) == pytest.approx(principal, rel=1e-2, abs=2e-8)


@needs_urdf
def test_limits_are_the_descriptions(model: mujoco.MjModel, urdf: ET.Element) -> None:
    for joint in JOINTS:
        limit = urdf.find(f"joint[@name='{joint.name}']/limit")
        published = [float(limit.get("lower")), float(limit.get("upper"))]
        assert [joint.low, joint.high] == pytest.approx(published, abs=1e-3)
        assert model.joint(joint.name).range == pytest.approx(published, abs=1e-3)


def test_inverse_kinematics_reaches_the_table(model: mujoco.MjModel) -> None:
    """Every place objects start at, at every angle a cube needs, to 1 mm and near the surface straight down."""
    kinematics = Kinematics(model)
    for radius in (0.14, 0.19, 0.24):
        for angle in (-0.8, 0.0, 0.8):
            for turn in (-np.pi / 4, 0.0, np.pi / 4):
                spot = np.array([0.0388 + radius * np.cos(angle), radius * np.sin(angle), 0.015])
                start = np.radians([-np.degrees(angle), -55, 60, 78, 0, 10])
                axes = pointing_down(angle + turn)
                reached, now = kinematics.place(kinematics.solve(spot, axes, start))
                assert np.linalg.norm(reached - spot) < 1e-3
                assert np.arccos(np.clip((np.trace(now.T @ axes) - 1) / 2, -1, 1)) < np.radians(5)


def test_inverse_kinematics_does_its_best_out_of_reach(model: mujoco.MjModel) -> None:
    kinematics = Kinematics(model)
    start = np.radians([0, -55, 60, 78, 0, 10.0])
    joints = kinematics.solve(np.array([1.0, 0.0, 0.1]), pointing_down(0.0), start)
    assert all(joint.low <= angle <= joint.high for joint, angle in zip(JOINTS, joints, strict=True))
    assert kinematics.place(joints)[0][0] > 0.35

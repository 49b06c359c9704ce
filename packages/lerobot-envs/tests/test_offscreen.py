"""Pictures of a MuJoCo model, from whichever thread they are asked for."""

from concurrent.futures import ThreadPoolExecutor

import mujoco
import numpy as np
import pytest

from lerobot.core.errors import LeRobotError
from lerobot.envs import opengl
from lerobot.envs.offscreen import Offscreen

SCENE = """
<mujoco>
  <worldbody>
    <light pos="-2 2 2" dir="1 -1 -1" directional="true"/>
    <camera name="above" pos="0 0 2"/>
    <camera name="turned" pos="0 0 2" xyaxes="-1 0 0 0 -1 0"/>
    <geom type="plane" size="2 2 .1" rgba=".8 .8 .8 1"/>
    <geom type="box" size=".2 .2 .2" pos="-.5 .5 .3" rgba="1 0 0 1"/>
  </worldbody>
</mujoco>
"""


@pytest.fixture
def scene() -> tuple[mujoco.MjModel, mujoco.MjData]:
    model = mujoco.MjModel.from_xml_string(SCENE)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


def red(picture: np.ndarray) -> np.ndarray:
    """Middle of what is red, as parts of the height and the width."""
    levels = picture.astype(int)
    return np.argwhere(levels[..., 0] > levels[..., 1] + 60).mean(axis=0) / picture.shape[:2]


def test_pictures_stand_upright(scene: tuple[mujoco.MjModel, mujoco.MjData]) -> None:
    """The box is up and left for a camera above, and down and right for one that is turned by half."""
    offscreen = Offscreen(scene[0], 64, 48)
    picture = offscreen.picture(scene[1], "above")
    assert picture.shape == (48, 64, 3)
    assert picture.dtype == np.uint8
    assert (red(picture) < 0.45).all()
    assert (red(offscreen.picture(scene[1], "turned")) > 0.55).all()
    offscreen.close()


def test_any_thread_may_ask(scene: tuple[mujoco.MjModel, mujoco.MjData]) -> None:
    offscreen = Offscreen(scene[0], 64, 48)
    here = offscreen.picture(scene[1], "above")
    with ThreadPoolExecutor(1) as other:
        there = other.submit(offscreen.picture, scene[1], "above").result()
    assert np.array_equal(here, there)
    offscreen.close()
    assert np.array_equal(offscreen.picture(scene[1], "above"), here)
    offscreen.close()
    offscreen.close()


def test_fast_leaves_shadows_away(scene: tuple[mujoco.MjModel, mujoco.MjData]) -> None:
    brightness = []
    for fast in (False, True):
        offscreen = Offscreen(scene[0], 64, 48, fast=fast)
        brightness.append(offscreen.picture(scene[1], "above").mean())
        offscreen.close()
    assert brightness[0] < brightness[1] - 1


def test_a_bare_machine_is_told_what_to_install(
    scene: tuple[mujoco.MjModel, mujoco.MjData], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opengl.sys, "platform", "linux")
    monkeypatch.setattr(opengl.ctypes.util, "find_library", lambda _: None)
    for name in (opengl.VARIABLE, "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(LeRobotError, match="neither EGL nor a display"):
        Offscreen(scene[0], 64, 48).picture(scene[1], "above")

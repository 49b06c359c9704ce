"""The light half: names agree with the implementation, and nothing heavy is imported for them."""

import subprocess
import sys
from typing import get_args

import pytest

from lerobot.core.config.base import RobotConfig
from lerobot.sim.config import Renderer, SimCameraConfig, SimSO101Config, TaskName, View
from lerobot.sim.rendering.opengl import LIBRARIES
from lerobot.sim.scene import VIEWS
from lerobot.sim.tasks import TASKS


def test_names_are_those_of_the_implementation() -> None:
    assert set(get_args(TaskName)) == set(TASKS)
    assert get_args(View) == VIEWS
    assert set(get_args(Renderer)) == {"auto", "painter", "rays", *LIBRARIES}


@pytest.mark.parametrize("module", ["lerobot.sim.config", "lerobot.sim.hooks"])
def test_what_every_command_loads_brings_no_physics(module: str) -> None:
    program = f"import sys, {module}; print({{'mujoco', 'numpy', 'cv2', 'gymnasium'}} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "set()"


def test_a_robot_is_described_by_one_mapping() -> None:
    """As the command line and a file give it."""
    from pydantic import TypeAdapter

    config = TypeAdapter(RobotConfig).validate_python(
        {"type": "sim_so101", "cameras": {"front": {"type": "sim", "width": 320, "height": 240, "fps": 30}}}
    )
    assert isinstance(config, SimSO101Config)
    assert config.cameras["front"] == SimCameraConfig(width=320, height=240, fps=30)

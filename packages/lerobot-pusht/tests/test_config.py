"""Flags, saved configurations and one line instead of a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from lerobot.core.config.base import EnvConfig
from lerobot.envs.actor import provided_features
from lerobot.envs.assembly import make_env
from lerobot.pusht.config import PushTConfig


def test_a_saved_configuration_of_the_peer_is_read() -> None:
    """The `env` section of a train_config.json of huggingface/lerobot 0.6.1."""
    saved = {
        "type": "pusht",
        "task": "PushT-v0",
        "fps": 10,
        "features": {
            "action": {"type": "ACTION", "shape": [2]},
            "agent_pos": {"type": "STATE", "shape": [2]},
            "pixels": {"type": "VISUAL", "shape": [384, 384, 3]},
        },
        "features_map": {
            "action": "action",
            "agent_pos": "observation.state",
            "environment_state": "observation.environment_state",
            "pixels": "observation.image",
        },
        "max_parallel_tasks": 1,
        "disable_env_checker": True,
        "episode_length": 300,
        "obs_type": "pixels_agent_pos",
        "render_mode": "rgb_array",
        "visualization_width": 384,
        "visualization_height": 384,
        "observation_height": 384,
        "observation_width": 384,
    }
    config = TypeAdapter(EnvConfig).validate_python(saved)
    assert isinstance(config, PushTConfig)
    assert config.features_map == PushTConfig().features_map


@pytest.mark.parametrize(
    ("obs_type", "names"),
    [
        ("pixels_agent_pos", {"observation.image": ("VISUAL", (3, 96, 96)), "observation.state": ("STATE", (2,))}),
        (
            "environment_state_agent_pos",
            {"observation.environment_state": ("ENV", (16,)), "observation.state": ("STATE", (2,))},
        ),
        ("pixels", {"observation.image": ("VISUAL", (3, 96, 96))}),
        ("state", {"observation.state": ("STATE", (5,))}),
    ],
)
def test_policies_see_what_they_know(obs_type: str, names: dict[str, tuple[str, tuple[int, ...]]]) -> None:
    config = PushTConfig(obs_type=obs_type)
    env = make_env(config)
    found = provided_features(env.observation_space, env.action_space, config.features_map)
    assert {key: (feature.type, feature.shape) for key, feature in found.items()} == {
        **names,
        "action": ("ACTION", (2,)),
    }


@pytest.mark.parametrize("fps", [0, 3, 30, 200])
def test_a_step_is_whole_physics_steps(fps: int) -> None:
    with pytest.raises(ValidationError, match=r"divisor of 100|greater than 0"):
        PushTConfig(fps=fps)


def test_a_library_that_is_missing_is_one_line(tmp_path: Path) -> None:
    """OpenCV as a machine without a desktop loads it."""
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')\n")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from lerobot.core.errors import LeRobotError\n"
        "from lerobot.pusht.config import PushTConfig\n"
        "try: PushTConfig().build()\n"
        "except LeRobotError as error: print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "libGL.so.1" in said
    assert "uv pip install --reinstall opencv-python-headless" in said

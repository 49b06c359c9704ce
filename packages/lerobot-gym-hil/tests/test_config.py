"""Names of tasks, and one line for what cannot be."""

import sys
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from lerobot.core.config.base import EnvConfig
from lerobot.core.errors import LeRobotError
from lerobot.gym_hil.config import GymHilConfig

STATES = {"obs_type": "environment_state_agent_pos"}


@pytest.mark.parametrize("scene", ["PandaPickCube", "PandaArrangeBoxes"])
@pytest.mark.parametrize("variant", ["", "Base", "Viewer", "Gamepad", "Keyboard"])
def test_every_name_of_gym_hil_is_known(scene: str, variant: str) -> None:
    import gym_hil  # noqa: F401 - registers its tasks
    import gymnasium

    config = TypeAdapter(EnvConfig).validate_python({"type": "gym_hil", "task": f"gym_hil/{scene}{variant}-v0"})
    assert isinstance(config, GymHilConfig)
    assert (config.task, config.scene, config.variant) == (f"{scene}{variant}-v0", scene, variant)
    spec = gymnasium.spec(f"gym_hil/{config.task}")
    assert config.episode_length == spec.max_episode_steps
    assert config.is_wrapped == (variant not in {"Base", "Viewer"})
    assert config.has_window == (variant in {"Viewer", "Gamepad", "Keyboard"})
    if config.is_wrapped:
        assert config.penalty == spec.kwargs.get("gripper_penalty", -0.02)


def test_a_wrong_name_answers_with_the_nearest() -> None:
    near = r"'PandaPickCub-v0' is none, did you mean PandaPickCube-v0 or PandaPickCube\w+-v0"
    with pytest.raises(ValidationError, match=near):
        GymHilConfig(task="gym_hil/PandaPickCub-v0")


@pytest.fixture
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_display")
def test_a_window_needs_a_display() -> None:
    with pytest.raises(LeRobotError, match="PandaPickCubeViewer-v0 opens a window") as caught:
        GymHilConfig(task="PandaPickCubeViewer-v0", **STATES).build()
    assert caught.value.hint == "Without a window: --env.viewer=false"


def test_a_window_follows_the_arm(monkeypatch: pytest.MonkeyPatch) -> None:
    from mujoco import viewer

    done: list[Any] = []

    class Window:
        def __init__(self, model: Any, data: Any) -> None:
            done.append((model, data))

        def sync(self) -> None:
            done.append("shown")

        def close(self) -> None:
            done.append("closed")

    monkeypatch.setattr(viewer, "launch_passive", Window)
    monkeypatch.setenv("DISPLAY", ":0")
    env = GymHilConfig(task="PandaPickCubeViewer-v0", **STATES).build()
    env.reset(seed=0)
    env.step(env.action_space.sample())
    env.close()
    env.close()
    assert done == [(env._model, env._data), "shown", "shown", "closed"]


@pytest.mark.parametrize(("variant", "name"), [("Gamepad", "gamepad"), ("Keyboard", "keyboard_ee")])
def test_the_tasks_name_says_who_takes_over(variant: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugins of the pad and the keyboard are asked through the registry; nothing is opened before an episode."""
    env = GymHilConfig(task=f"PandaPickCube{variant}-v0", viewer=False, **STATES).build()
    assert env._person._teleop.name == name
    assert not env._person._teleop.is_connected
    env.close()


def test_another_teleoperator_may_take_over() -> None:
    pad = {"type": "gamepad", "index": 1}
    config: Any = TypeAdapter(EnvConfig).validate_python({"type": "gym_hil", "teleop": pad, **STATES})
    env = config.build()
    assert env._person._teleop.config.index == 1
    env.close()
    with pytest.raises(ValidationError, match="nobody takes over in PandaPickCubeBase-v0; choose PandaPickCube-v0"):
        GymHilConfig(task="PandaPickCubeBase-v0", teleop=config.teleop)

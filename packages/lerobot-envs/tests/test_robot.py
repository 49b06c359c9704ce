"""An environment as a robot, and an expert that plays in it."""

from collections.abc import Callable
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest

from lerobot.core.config.base import EnvConfig
from lerobot.core.control import CallableSource, ControlLoop, TeleoperatorSource
from lerobot.core.errors import DeviceError, FeatureMismatchError
from lerobot.core.protocols import HasFixedRate, HasReward, HasTask, KnowsSuccess, StepResult
from lerobot.core.safety import SafetyConfig, SafetyGate
from lerobot.core.testing import RobotContract
from lerobot.core.types import EpisodeInfo
from lerobot.envs import hooks
from lerobot.envs.config import EnvRobotConfig, ExpertConfig
from lerobot.envs.expert import ExpertTeleoperator
from lerobot.envs.robot import EnvRobot
from lerobot.sim.config import SimEnvConfig


class Slope(gymnasium.Env[dict[str, Any], np.ndarray]):
    """A cart on a slope; at the top, 1, the episode is over, after eight steps too."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 10}
    task_description = "Go up."
    action_names = ("push",)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
    observation_space = gymnasium.spaces.Dict(
        {
            "agent_pos": gymnasium.spaces.Box(-np.inf, np.inf, (1,)),
            "environment_state": gymnasium.spaces.Box(-np.inf, np.inf, (2,)),
        }
    )
    fails = False

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        super().reset(seed=seed)
        if self.fails:
            raise OSError("the slope is gone")
        self.x, self.steps = self.np_random.uniform(0, 0.5), 0
        return self._seen(), {}

    def step(self, action: np.ndarray) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        self.x, self.steps = self.x + 0.25 * float(action[0]), self.steps + 1
        solved = self.x >= 1
        return self._seen(), self.x, solved, not solved and self.steps == 8, {"is_success": solved}

    def _seen(self) -> dict[str, Any]:
        return {"agent_pos": np.array([self.x], np.float32), "environment_state": np.array([1, self.x], np.float32)}


class SlopeConfig(EnvConfig):
    target: ClassVar[str] = "unused"
    type: str = "slope"

    def build(self, **_: Any) -> Slope:
        return Slope()


class Pusher(ExpertTeleoperator):
    name = "pusher"
    action_names = Slope.action_names

    def begin(self, env: Any) -> Callable[[], np.ndarray]:
        assert isinstance(env, Slope)
        pushes = iter((0.5, 1.0, 1.0, 1.0, 1.0))
        return lambda: np.array([next(pushes)])


class PusherConfig(ExpertConfig):
    target: ClassVar[str] = "unused"
    type: str = "pusher"

    def build(self, **_: Any) -> Pusher:
        return Pusher(self)


def robot(**fields: Any) -> EnvRobot:
    return EnvRobot(EnvRobotConfig(env=SlopeConfig(), **{"realtime": False, **fields}))


class TestEnvRobot(RobotContract):
    @pytest.fixture
    def config(self) -> EnvRobotConfig:
        return EnvRobotConfig(env=SimEnvConfig(task="reach", cameras=()))

    def in_safe_state(self, robot: Any) -> bool:
        return robot.scene.at_rest


def start(x: int) -> float:
    """Where the cart stands at the start of a seed."""
    return Slope().reset(seed=x)[0]["agent_pos"][0]


def test_it_measures_what_eval_shows_and_says_what_came_of_a_step() -> None:
    with robot(seed=5) as cart:
        assert isinstance(cart, HasReward)
        assert isinstance(cart, HasTask)
        assert isinstance(cart, KnowsSuccess)
        assert isinstance(cart, HasFixedRate)
        assert (cart.task_description, cart.control_hz) == ("Go up.", 10)
        assert list(cart.observation_features) == ["state_0", "environment_state.0", "environment_state.1"]
        hooks.episode_start(EpisodeInfo(2))
        seen = cart.get_observation()
        assert seen == {"state_0": start(7), "environment_state.0": 1, "environment_state.1": start(7)}
        assert cart.step_result == StepResult()
        assert not cart.is_success
        assert cart.send_action({"push": 5.0}) == {"push": 1.0}
        assert cart.step_result == StepResult(pytest.approx(start(7) + 0.25), done=False, success=False)
        for _ in range(3):
            cart.send_action({"push": 1.0})
        assert cart.step_result.done
        assert cart.step_result.success
        assert cart.is_success
        above = cart.get_observation()["state_0"]
        cart.send_action({"push": -1.0})
        assert cart.get_observation()["state_0"] == above, "an episode that ended stands still"


def test_an_episode_that_is_not_solved_is_over_too() -> None:
    with robot() as cart:
        hooks.episode_start(EpisodeInfo(0))
        for _ in range(8):
            cart.send_action({"push": 0.0})
        assert cart.step_result.done
        assert not cart.step_result.success


def test_the_gate_leaves_the_expert_alone_and_episodes_follow_each_other() -> None:
    """Where nobody counts them, each begins three seconds after the one before."""
    with robot(seed=0) as cart, Pusher(PusherConfig()) as expert:
        gate = SafetyGate.for_robot(cart, SafetyConfig(ramp_s=0))
        seen: list[tuple[float, float]] = []
        source = TeleoperatorSource(expert)

        def watched(observation: Any) -> Any:
            action = source.next_action(observation, 0)
            seen.append((observation["state_0"], action["push"]))
            return action

        ControlLoop(cart, CallableSource(watched), gate, fps=10).run(duration_s=8)
    pushes = [push for _, push in seen]
    assert pushes[30:33] == [0.5, 1.0, 1.0], "three seconds to look at it, and then as the expert wants it"
    assert seen[30][0] == start(0)
    ended = next(index for index in range(31, 80) if pushes[index] == 0)
    assert seen[ended][0] >= 1
    again = next(index for index in range(ended, 80) if pushes[index] == 0.5)
    assert seen[again][0] == pytest.approx(start(1))


def test_an_episode_that_cannot_begin_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hooks keep errors to themselves; what is left of the episode before must not be recorded as the next."""
    with robot() as cart:
        monkeypatch.setattr(Slope, "fails", True)
        hooks.episode_start(EpisodeInfo(1))
        with pytest.raises(OSError, match="the slope is gone"):
            cart.get_observation()


def test_an_expert_needs_an_environment() -> None:
    with Pusher(PusherConfig()) as expert, pytest.raises(DeviceError, match="pusher found no simulated robot"):
        expert.get_action()


def test_actions_without_limits_and_other_observations_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slope, "observation_space", gymnasium.spaces.Dict({"sound": gymnasium.spaces.Box(0, 1, (9,))}))
    with pytest.raises(FeatureMismatchError, match=r"shows observation\.sound \(9,\)"):
        _ = robot().observation_features
    monkeypatch.setattr(Slope, "action_space", gymnasium.spaces.Discrete(3))
    with pytest.raises(FeatureMismatchError, match=r"actions are Discrete\(3\)"):
        robot()

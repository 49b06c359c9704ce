"""The contract of environments."""

import sys
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest

from lerobot.core.config.base import PluginConfig
from lerobot.core.protocols import Env
from lerobot.core.testing.contracts.base import Contract


class EnvContract(Contract):
    """A simulated task. Supply the fixture `config`; override `make` if building needs more than that."""

    optional: ClassVar[dict[str, str]] = {"gymnasium": "the environment derives from `gymnasium.Env`"}

    @pytest.fixture
    def config(self) -> PluginConfig:
        """Configuration of the environment."""
        pytest.fail("define a fixture `config` that returns your environment's configuration")

    def make(self, config: PluginConfig) -> Any:
        """Build one environment."""
        return config.build()

    @pytest.fixture
    def env(self, config: PluginConfig) -> Iterator[Any]:
        """The environment; closed after the test."""
        env = self.make(config)
        yield env
        env.close()

    def play(self, env: Any, seed: int, steps: int = 5) -> list[Any]:
        """Reset with a seed and take seeded random actions; everything that came back."""
        env.action_space.seed(seed)
        seen: list[Any] = [env.reset(seed=seed)[0]]
        for _ in range(steps):
            observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
            seen += [observation, reward, terminated, truncated, info.get("is_success")]
            if terminated or truncated:
                break
        return seen

    def test_it_fulfils_the_protocol(self, env: Any) -> None:
        """The environment has every member of the `Env` protocol.

        Repair: add the member that is missing; `lerobot.core.protocols.env` says what it does.
        """
        assert isinstance(env, Env)

    def test_config_survives_json(self, config: PluginConfig) -> None:
        """A configuration written as JSON and read again is the same one.

        Repair: give fields types pydantic can write and read.
        """
        assert type(config).model_validate_json(config.model_dump_json()) == config

    def test_the_task_is_described(self, env: Any) -> None:
        """`task_description` is a sentence, for policies that read.

        Repair: return the task as a person would ask for it.
        """
        assert isinstance(env.task_description, str)
        assert env.task_description.strip()

    def test_observations_lie_in_their_space(self, env: Any) -> None:
        """`reset` and `step` return observations that `observation_space` contains.

        Repair: correct dtype, shape or bounds, of the space or of the observation.
        """
        observation, info = env.reset(seed=0)
        assert isinstance(info, dict)
        assert env.observation_space.contains(observation)
        assert env.observation_space.contains(env.step(env.action_space.sample())[0])

    def test_a_step_has_five_parts(self, env: Any) -> None:
        """`step` returns observation, reward, terminated, truncated and an info with `is_success`.

        Repair: return Gymnasium's five values; set `info["is_success"]` to a bool after every step.
        """
        env.reset(seed=0)
        _, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert np.isfinite(float(reward))
        assert isinstance(terminated, bool | np.bool_)
        assert isinstance(truncated, bool | np.bool_)
        assert isinstance(info["is_success"], bool | np.bool_)

    def test_the_same_seed_gives_the_same_episode(self, config: PluginConfig) -> None:
        """Two environments with the same seed and actions show the same episode, bit for bit.

        Repair: draw everything from a generator made in `reset(seed=...)`, never from a global one.
        """
        runs = []
        for _ in range(2):
            env = self.make(config)
            try:
                runs.append(self.play(env, seed=3))
            finally:
                env.close()
        assert _same(runs[0], runs[1])

    def test_the_start_depends_on_the_seed_alone(self, env: Any) -> None:
        """What was played before does not change how a seed starts.

        Repair: put every part of the state back in `reset`.
        """
        first = env.reset(seed=11)[0]
        self.play(env, seed=5)
        assert _same(env.reset(seed=11)[0], first)

    def test_seeds_differ(self, env: Any) -> None:
        """Different seeds start differently, or evaluation would repeat one episode.

        Repair: use the seed. An environment with one fixed start overrides this test with xfail(reason=...).
        """
        starts = [env.reset(seed=seed)[0] for seed in range(5)]
        assert any(not _same(start, starts[0]) for start in starts[1:])

    def test_it_renders_pictures(self, env: Any) -> None:
        """`render` returns `(H, W, 3)` uint8, and `metadata` has the rate to show it with.

        Repair: build with `render_mode="rgb_array"`; set `metadata["render_fps"]`.
        """
        env.reset(seed=0)
        picture = np.asarray(env.render())
        assert picture.ndim == 3
        assert picture.shape[2] == 3
        assert picture.dtype == np.uint8
        assert env.metadata["render_fps"] > 0

    def test_it_can_be_closed_twice(self, config: PluginConfig) -> None:
        """`close` does nothing the second time.

        Repair: forget what was released.
        """
        env = self.make(config)
        env.reset(seed=0)
        env.close()
        env.close()

    def test_gymnasium_accepts_it(self, env: Any) -> None:
        """Gymnasium's own checker finds nothing wrong.

        Repair: its message says what; see gymnasium.utils.env_checker.check_env.
        """
        gymnasium = sys.modules.get("gymnasium")
        self.require("gymnasium", gymnasium is not None and isinstance(env, gymnasium.Env))
        pytest.importorskip("gymnasium.utils.env_checker").check_env(env.unwrapped, skip_render_check=True)


def _same(first: Any, second: Any) -> bool:
    """Whether two nested structures of numbers and arrays are equal bit for bit."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(_same, first, second))
    return bool(np.array_equal(np.asarray(first), np.asarray(second)))

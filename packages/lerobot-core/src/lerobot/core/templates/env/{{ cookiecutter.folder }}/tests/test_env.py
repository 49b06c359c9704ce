"""The contract of environments, and that this one can be solved."""

import numpy as np
import pytest
from lerobot.core.testing import EnvContract

from {{ cookiecutter.package }}.config import {{ cookiecutter.class_name }}Config
from {{ cookiecutter.package }}.env import {{ cookiecutter.class_name }}


class TestContract(EnvContract):
    capabilities = frozenset({"gymnasium"})

    @pytest.fixture
    def config(self) -> {{ cookiecutter.class_name }}Config:
        return {{ cookiecutter.class_name }}Config()


def test_walking_to_the_goal_solves_it() -> None:
    env = {{ cookiecutter.class_name }}()
    observation, _ = env.reset(seed=0)
    for _ in range(100):
        way = observation[2:] - observation[:2]
        observation, _, solved, truncated, info = env.step(way / max(0.05, float(np.abs(way).max())))
        if solved or truncated:
            break
    assert info["is_success"]

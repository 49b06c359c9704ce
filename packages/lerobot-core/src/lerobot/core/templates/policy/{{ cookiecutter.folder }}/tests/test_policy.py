"""The contract of policies, and that this one learns."""

from typing import Any

import numpy as np
import pytest
from lerobot.core.testing import PolicyContract

from {{ cookiecutter.package }}.config import {{ cookiecutter.class_name }}Config
from {{ cookiecutter.package }}.policy import {{ cookiecutter.class_name }}


class TestContract(PolicyContract):
    capabilities = frozenset({"padding"})

    @pytest.fixture
    def config(self) -> {{ cookiecutter.class_name }}Config:
        return {{ cookiecutter.class_name }}Config(state_dim=4, action_dim=2, horizon=3, n_action_steps=2)

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        random = np.random.default_rng(0)
        padding = np.zeros((8, 3), bool)
        padding[0, 1:] = True
        return {
            "observation.state": random.normal(size=(8, 4)).astype(np.float32),
            "action": random.normal(size=(8, 3, 2)).astype(np.float32),
            "action_is_pad": padding,
        }


def test_a_linear_relation_is_learned() -> None:
    random = np.random.default_rng(1)
    state = random.normal(size=(50, 6)).astype(np.float32)
    relation = random.normal(size=(6, 8, 6)).astype(np.float32)
    action = np.einsum("ns,sta->nta", state, relation) + 1.0
    policy = {{ cookiecutter.class_name }}({{ cookiecutter.class_name }}Config())
    policy.fit(state, action)
    chunk = policy.predict_action_chunk({"observation.state": state[:5]})
    assert np.abs(chunk - action[:5]).max() < 1e-4

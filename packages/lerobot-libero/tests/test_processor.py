"""The layout step for observations of LIBERO's own environment."""

from typing import Any

import numpy as np
import pytest
import torch

from lerobot.core.processors import build_step, create_transition
from lerobot.core.testing import ProcessorContract
from lerobot.libero.config import LiberoProcessorConfig


class TestLiberoProcessor(ProcessorContract):
    @pytest.fixture
    def config(self) -> LiberoProcessorConfig:
        return LiberoProcessorConfig()

    @pytest.fixture
    def transition(self) -> dict[str, Any]:
        """As the environment `libero` shows it; the contract knows no nested observations."""
        return create_transition(
            observation={"observation.state": torch.zeros(1, 8), "observation.images.image": torch.rand(1, 3, 4, 5)}
        )


def test_a_raw_observation_becomes_the_datasets() -> None:
    pictures = torch.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5).float()
    half = np.sqrt(0.5)
    raw = {
        "eef": {
            "pos": torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
            "quat": torch.tensor([[0.0, 0.0, half, half], [0.0, 0.0, 0.0, 1.0]]),
            "mat": torch.zeros(2, 3, 3),
        },
        "gripper": {"qpos": torch.tensor([[0.04, -0.04], [0.01, -0.01]]), "qvel": torch.zeros(2, 2)},
    }
    step = build_step(LiberoProcessorConfig())
    observation = {"observation.images.image": pictures, "observation.robot_state": raw}
    found = step({"observation": observation})["observation"]
    expected = [[1, 2, 3, 0, 0, np.pi / 2, 0.04, -0.04], [4, 5, 6, 0, 0, 0, 0.01, -0.01]]
    np.testing.assert_allclose(found["observation.state"], expected, atol=1e-6)
    assert found["observation.state"].dtype == torch.float32
    assert found["observation.images.image"][1, 2, 0, 0] == pictures[1, 2, 3, 4]
    assert set(found) == {"observation.images.image", "observation.state"}
    again = step({"observation": found})["observation"]
    assert torch.equal(again["observation.images.image"], found["observation.images.image"])

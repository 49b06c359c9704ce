"""The search for actions: on a world whose best actions are known."""

from typing import Any

import pytest
import torch
from torch import Tensor

from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.tdmpc.config import TDMPCConfig
from lerobot.tdmpc.modeling import TaskModel
from lerobot.tdmpc.plan import plan

SMALL: dict[str, Any] = {
    "input_features": {"observation.state": PolicyFeature(type=FeatureType.STATE, shape=(2,))},
    "output_features": {"action": PolicyFeature(type=FeatureType.ACTION, shape=(2,))},
    "latent_dim": 2,
    "mlp_dim": 8,
    "state_encoder_hidden_dim": 8,
    "horizon": 3,
    "n_gaussian_samples": 100,
    "n_pi_samples": 4,
    "n_elites": 10,
    # What is a little better is much more likely.
    "elite_weighting_temperature": 20.0,
}


class Walk(TaskModel):
    """A place that actions move, rewarded for being near a goal; judges differ where a number is 1."""

    def __init__(self, config: TDMPCConfig, goal: Tensor, doubt: float = 0.0) -> None:
        super().__init__(config)
        self.goal, self.doubt = goal, doubt

    def step(self, latent: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        after = latent + 0.5 * action
        return after, -(after - self.goal).norm(dim=-1)

    def follow(self, latent: Tensor, action: Tensor) -> Tensor:
        return self.step(latent, action)[0]

    def values(self, latent: Tensor, action: Tensor) -> Tensor:
        # They agree about the first number's lower half alone.
        apart = self.doubt * action[..., 0].clamp(min=0)
        return torch.stack([apart, -apart])


def test_the_plan_goes_to_the_goal() -> None:
    """Each row to its own: the first two steps all the way that fits, then what is left."""
    torch.manual_seed(0)
    config = TDMPCConfig(**SMALL)
    latent = torch.zeros(2, 2)
    goals = torch.tensor([[1.2, 0.6], [-0.5, 0.25]])
    with torch.no_grad():
        found = plan(config, Walk(config, goals), latent, None)
    assert found.actions.shape == found.mean.shape == (3, 2, 2)
    ends = latent + 0.5 * found.mean.sum(0)
    assert torch.allclose(ends, goals, atol=0.1)
    assert torch.allclose(found.mean[0, 0], torch.tensor([1.0, 0.6]), atol=0.4)
    assert torch.allclose(found.actions, found.mean, atol=0.5)


def test_what_judges_disagree_about_is_avoided() -> None:
    goal, means = torch.tensor([[0.5, 0.0]]), []
    for doubt in (0.0, 10.0):
        torch.manual_seed(0)
        config = TDMPCConfig(**SMALL)
        with torch.no_grad():
            means.append(plan(config, Walk(config, goal, doubt), torch.zeros(1, 2), None).mean[0, 0, 0])
    assert means[0] > 0.7
    assert means[1] < 0.1


def test_the_search_begins_where_the_last_one_ended() -> None:
    """With one iteration of one plan without spread, the mean is what it begins with, a step on; then 0."""
    settings = {**SMALL, "max_std": 1e-6, "min_std": 0.0, "cem_iterations": 1, "n_pi_samples": 0}
    config = TDMPCConfig(**settings)
    before = torch.tensor([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])[:, None]
    with torch.no_grad():
        found = plan(config, Walk(config, torch.zeros(1, 2)), torch.zeros(1, 2), before)
    assert torch.allclose(found.mean[:, 0], torch.tensor([[0.3, 0.4], [0.5, 0.6], [0.0, 0.0]]), atol=1e-4)


@pytest.mark.parametrize("proposals", [0, 4])
def test_worth_that_is_no_number_is_no_reason_to_stop(proposals: int) -> None:
    config = TDMPCConfig(**{**SMALL, "n_pi_samples": proposals})
    with torch.no_grad():
        found = plan(config, Walk(config, torch.full((1, 2), torch.nan)), torch.zeros(1, 2), None)
    assert torch.isfinite(found.actions).all()

"""Small pieces of experience, and an algorithm of a few numbers, for the tests of this package."""

from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from lerobot.policies.assembly import PolicyWithProcessors, make_pre_post_processors
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import FeatureType, NormalizationMode, PolicyFeature
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.rl.algorithm import Algorithm
from lerobot.rl.config import AlgorithmConfig
from lerobot.rl.transition import Episode, Transition

STATE, CAMERA = "observation.state", "observation.images.front"
FEATURES: dict[str, Any] = {
    STATE: {"dtype": "float32", "shape": (2,), "names": ["x", "y"]},
    CAMERA: {"dtype": "video", "shape": (8, 6, 3), "names": ["height", "width", "channels"]},
    "action": {"dtype": "float32", "shape": (2,), "names": ["dx", "dy"]},
}


def frame(number: float, seed: int = 0) -> dict[str, Any]:
    """What is seen at a step: its number tells it apart in every entry."""
    picture = np.random.default_rng(seed * 1000 + int(number)).integers(0, 256, (8, 6, 3), np.uint8)
    return {STATE: np.array([number, -number], np.float32), CAMERA: picture}


def episode(name: str, length: int, *, first: int = 0, terminal: bool = True, people: tuple[int, ...] = ()) -> Episode:
    """Steps `first`, `first + 1`, ...; the reward of each is its number."""
    rows = [
        Transition(
            frame(number, first),
            np.array([number, number + 0.5], np.float32),
            float(number),
            terminal and number == first + length - 1,
            terminal and number == first + length - 1,
            number - first in people,
            {"discrete_penalty": -0.25 * (number - first)},
        )
        for number in range(first, first + length)
    ]
    return Episode(name, rows, frame(first + length, first), "go there")


class LinearConfig(PreTrainedConfig):
    """A linear map from the state, with noise that explores."""

    target: ClassVar[str] = "experience:LinearPolicy"

    type: str = "linear"
    noise: float = 0.1
    normalization_mapping: dict[FeatureType, NormalizationMode] = {
        FeatureType.STATE: NormalizationMode.MIN_MAX,
        FeatureType.ACTION: NormalizationMode.MIN_MAX,
    }


class LinearPolicy(PreTrainedPolicy):
    """See its configuration."""

    def __init__(self, config: LinearConfig, *, from_scratch: bool = True) -> None:
        super().__init__(config)
        self.noise = config.noise
        self.net = nn.Linear(config.input_features[STATE].shape[0], config.output_features["action"].shape[0])

    def reset(self) -> None:
        pass

    def select_action(self, batch: Any) -> torch.Tensor:
        mean: torch.Tensor = self.net(batch[STATE])
        return mean + self.noise * torch.randn_like(mean)

    def predict_action_chunk(self, batch: Any) -> torch.Tensor:
        return self.select_action(batch)[:, None]

    def forward(self, batch: Any) -> tuple[torch.Tensor, dict[str, Any]]:
        return (self.net(batch[STATE]) - batch["action"]).square().mean(), {}


class CloningConfig(AlgorithmConfig):
    """Imitates what was done, weighted by what a critic thinks of it."""

    target: ClassVar[str] = "experience:Cloning"

    type: str = "cloning"
    steps: int = 1

    @property
    def steps_per_window(self) -> int:
        return self.steps


class Cloning(Algorithm):
    """See its configuration: two optimizers, and a network that never acts."""

    def __init__(self, config: CloningConfig, trained: PolicyWithProcessors) -> None:
        super().__init__(config, trained)
        self.networks = nn.Linear(trained.policy.config.input_features[STATE].shape[0], 1)
        self.optimizers = {
            "critic": torch.optim.Adam(self.networks.parameters(), 1e-2),
            "actor": torch.optim.Adam(trained.policy.parameters(), 1e-2),
        }

    def update(self, sample: Any) -> dict[str, Any]:
        batch = sample()
        value = self.networks(batch.observation[STATE])[:, 0]
        with torch.no_grad():
            after = self.networks(batch.next_observation[STATE])[:, 0]
        critic = (value - batch.returns(0.9) - batch.continuation(0.9) * after).square().mean()
        actor = (self.trained.policy.net(batch.observation[STATE]) - batch.action[:, 0]).square().mean()
        for name, loss in (("critic", critic), ("actor", actor)):
            self.optimizers[name].zero_grad()
            loss.backward()
            self.optimizers[name].step()
        return {"loss": critic + actor, "critic": critic, "actor": actor}


def policy(**settings: Any) -> PolicyWithProcessors:
    """A new linear policy for these features."""
    config = LinearConfig(
        input_features={STATE: PolicyFeature(type=FeatureType.STATE, shape=(2,))},
        output_features={"action": PolicyFeature(type=FeatureType.ACTION, shape=(2,))},
        device="cpu",
        **settings,
    )
    stats = {
        STATE: {"min": [-20.0, -20.0], "max": [20.0, 20.0]},
        "action": {"min": [-10.0, -10.0], "max": [10.0, 10.0]},
    }
    torch.manual_seed(0)
    return PolicyWithProcessors(LinearPolicy(config), make_pre_post_processors(config, stats))

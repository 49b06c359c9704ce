"""The policy, its processors and its algorithm."""

import math
from typing import Any

import pytest
import torch

from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.core.testing import PluginPackageContract
from lerobot.hilserl.config import GaussianActorConfig
from lerobot.hilserl.policy import GaussianActorPolicy, log_likelihood
from lerobot.hilserl.sac import SAC
from lerobot.hilserl.sac_config import SACConfig
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.testing import TrainablePolicyContract, statistics
from lerobot.rl.transition import TransitionBatch

TINY: dict[str, Any] = {
    "input_features": {
        "observation.images.front": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 40, 40)),
        "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(3,)),
    },
    "output_features": {"action": PolicyFeature(type=FeatureType.ACTION, shape=(2,))},
    "device": "cpu",
    "image_encoder_hidden_dim": 4,
    "latent_dim": 8,
    "actor_network_kwargs": {"hidden_dims": [8]},
    "discrete_critic_network_kwargs": {"hidden_dims": [8]},
}


class TestPackage(PluginPackageContract):
    distribution = "lerobot-hilserl"


class TestContract(TrainablePolicyContract):
    """It always explores: every row has draws of its own."""

    capabilities = frozenset({"gradients"})

    @pytest.fixture
    def config(self) -> GaussianActorConfig:
        # So little noise that a row alone and in a batch act alike.
        return GaussianActorConfig(**TINY, policy_kwargs={"std_min": 1e-12, "std_max": 1e-12})

    @pytest.fixture
    def batch(self, config: GaussianActorConfig) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        found = {key: torch.rand(8, *feature.shape) for key, feature in config.input_features.items()}
        return {**found, "action": torch.rand(8, 2) * 2 - 1}


def pair(**settings: Any) -> PolicyWithProcessors:
    config = GaussianActorConfig.model_validate({**TINY, **settings})
    torch.manual_seed(3)
    return PolicyWithProcessors(GaussianActorPolicy(config), make_processors(config, statistics(config)))


def observation() -> dict[str, Any]:
    return {"observation.images.front": torch.rand(3, 40, 40), "observation.state": torch.rand(3)}


def test_the_likelihood_is_that_of_a_squashed_normal_distribution() -> None:
    torch.manual_seed(0)
    mean, deviation = torch.randn(50, 3), torch.rand(50, 3) + 0.1
    wide = mean + deviation * torch.randn(50, 3)
    normal = torch.distributions.Normal(mean.double(), deviation.double())
    squashed = torch.distributions.TransformedDistribution(normal, torch.distributions.TanhTransform(cache_size=1))
    expected = squashed.log_prob(wide.double().tanh()).sum(-1)
    found = log_likelihood(wide, mean, deviation)
    near = wide.abs().max(-1).values < 3
    assert torch.allclose(found.double()[near], expected[near], atol=1e-4)
    assert torch.isfinite(log_likelihood(torch.full((1, 3), 40.0), mean[:1], deviation[:1])).all()


class TestChoices:
    def test_a_choice_is_made_and_not_scaled(self) -> None:
        trained = pair(num_discrete_actions=3)
        actions = torch.cat(
            [
                trained.processors.postprocessor(
                    trained.policy.select_action(trained.processors.preprocessor(observation()))
                )
                for _ in range(20)
            ]
        )
        assert actions.shape == (20, 3)
        assert set(actions[:, 2].tolist()) <= {0.0, 1.0, 2.0}
        assert (actions[:, :2] > -3).all(), "scaled to the range of the statistics"
        assert (actions[:, :2] < 4).all()
        assert (actions[:, :2].abs() > 1).any()

    def test_recorded_actions_are_scaled_without_their_choice(self) -> None:
        trained = pair(num_discrete_actions=3)
        action = torch.tensor([[[-3.0, 4.0, 2.0]]])
        ready = trained.processors.preprocessor({**observation(), "action": action})
        assert ready["action"].flatten().tolist() == pytest.approx([-1, 1, 2])

    def test_of_a_robot_the_last_number_is_the_choice(self) -> None:
        config = GaussianActorConfig(num_discrete_actions=3)
        provided = {**TINY["input_features"], "action": PolicyFeature(type=FeatureType.ACTION, shape=(4,))}
        made = config.with_features(provided)
        assert made.output_features["action"].shape == (3,)
        assert made.needed_of(provided)["action"].shape == (4,)


def test_relative_actions_are_added_to_where_joints_are() -> None:
    state = PolicyFeature(type=FeatureType.STATE, shape=(2,))
    own = {"action": {"min": [-5.0, -5.0], "max": [5.0, 5.0]}}
    trained = pair(relative_actions=True, dataset_stats=own, input_features={"observation.state": state})
    where = torch.tensor([30.0, -40.0])
    ready = trained.processors.preprocessor({"observation.state": where, "action": torch.tensor([[35.0, -42.5]])})
    assert ready["action"].tolist() == [pytest.approx([1, -0.5])]
    action = trained.processors.postprocessor(trained.policy.select_action(ready))
    assert ((action - where).abs() <= 5).all()


def test_pictures_too_small_to_see_are_refused() -> None:
    small = {"observation.image": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 32, 32))}
    with pytest.raises(FeatureMismatchError, match="shape"):
        pair(input_features=small)


class TestSAC:
    def _batch(self, rows: int, choices: bool = False) -> TransitionBatch:
        torch.manual_seed(1)
        action = torch.rand(rows, 1, 2) * 2 - 1
        if choices:
            action = torch.cat([action, torch.randint(3, (rows, 1, 1)).float()], -1)

        def seen() -> dict[str, torch.Tensor]:
            return {key: torch.rand(rows, *each.shape) for key, each in TINY["input_features"].items()}

        flags = torch.zeros(rows, 1, dtype=torch.bool)
        return TransitionBatch(
            seen(), action, torch.rand(rows, 1), flags | (torch.arange(rows)[:, None] % 2 == 0), ~flags, seen(), flags,
            {"discrete_penalty": -torch.rand(rows, 1)}, [""] * rows,
        )  # fmt: skip

    @pytest.mark.parametrize("choices", [None, 3])
    def test_values_go_to_the_rewards_where_nothing_follows(self, choices: int | None) -> None:
        trained = pair(num_discrete_actions=choices)
        layers = {"hidden_dims": [16]}
        sac = SAC(SACConfig(critic_lr=1e-2, critic_network_kwargs=layers, discount=0.5), trained=trained)
        batch = self._batch(16, bool(choices))
        end = TransitionBatch(
            **{name: getattr(batch, name) for name in ("observation", "action", "reward", "valid", "next_observation")},
            terminal=batch.valid, intervention=batch.intervention, extra={}, task=batch.task,
        )  # fmt: skip
        trained.policy.eval()
        first = float(torch.as_tensor(sac.update(lambda: end)["critic_loss"]).detach())
        for _ in range(150):
            measured = sac.update(lambda: end)
        assert float(torch.as_tensor(measured["critic_loss"]).detach()) < 0.1 * first

    def test_what_is_frozen_or_shared_stays(self) -> None:
        trained = pair()
        sac = SAC(SACConfig(), trained=trained)
        before = {key: value.clone() for key, value in trained.policy.state_dict().items()}
        sac.update(lambda: self._batch(4))
        after = trained.policy.state_dict()
        changed = {key for key in before if not torch.equal(before[key], after[key])}
        assert not any("image_encoder" in key for key in changed), "the image encoder is frozen"
        assert any(key.startswith("actor.encoder.state_encoder") for key in changed), "critics change what is shared"
        assert any(key.startswith("actor.mean_layer") for key in changed)

    def test_the_actor_leaves_what_pictures_go_through_to_the_critics(self) -> None:
        trained = pair(freeze_vision_encoder=False)
        sac = SAC(SACConfig(), trained=trained)
        batch = self._batch(4)
        loss = sac.actor_loss(batch, None)
        trained.policy.zero_grad()
        mean, deviation = trained.policy.actor.distribution(batch.observation)
        (mean.sum() + deviation.sum()).backward()
        assert torch.isfinite(loss)
        assert all(
            each.grad is None or not each.grad.any() for each in trained.policy.encoder_actor.image_encoder.parameters()
        )

    def test_weights_of_other_critics_are_refused(self) -> None:
        trained = pair()
        saved = SAC(SACConfig(num_critics=3), trained=trained).state_dict()
        with pytest.raises(CheckpointError, match="do not fit"):
            SAC(SACConfig(), trained=trained).load_state_dict(saved)

    def test_temperature_and_its_aim(self) -> None:
        sac = SAC(SACConfig(temperature_init=0.01), trained=pair(num_discrete_actions=3))
        assert sac.temperature == pytest.approx(0.01)
        assert sac.target_entropy == -1.5
        assert math.isclose(SAC(SACConfig(target_entropy=-4.0), trained=pair()).target_entropy, -4.0)

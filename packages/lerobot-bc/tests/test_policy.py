"""The contract of policies, for networks, heads and objectives in turn."""

from pathlib import Path
from typing import Any

import pytest
import tiny_bc as tiny
import torch

from lerobot.bc.config import BCConfig
from lerobot.core.errors import CheckpointError, FeatureMismatchError, LeRobotError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.adapters import make_adapter
from lerobot.policies.export.program import require_exportable, trace
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.testing import TrainablePolicyContract, statistics


class Contract(TrainablePolicyContract):
    capabilities = frozenset({"gradients", "padding"})

    @pytest.fixture
    def batch(self, config: BCConfig) -> dict[str, Any]:
        return tiny.batch_for(config)

    def make(self, config: Any) -> Any:
        return tiny.make(config)

    def observation(self, batch: dict[str, Any]) -> dict[str, Any]:
        keys = [key for key in batch if key.startswith("observation") and "_is_pad" not in key]
        return {key: batch[key] if self.single else batch[key][:, 0] for key in keys}

    single = False


class TestMLPCopies(Contract):
    """Numbers alone, one action."""

    capabilities = frozenset({"gradients", "padding", "export"})
    single = True

    @pytest.fixture
    def config(self) -> BCConfig:
        return tiny.mlp(head="gaussian")


class TestMLPSees(Contract):
    """A picture, and how much better it went on than expected."""

    capabilities = frozenset({"gradients", "padding", "export"})
    single = True

    @pytest.fixture
    def config(self) -> BCConfig:
        features = {**tiny.FEATURES["input_features"], **tiny.PICTURE}
        return tiny.mlp(objective="awr", loss="l1", input_features=features)


class TestRNN(Contract):
    """A mixture, of which some count more."""

    @pytest.fixture
    def config(self) -> BCConfig:
        return tiny.rnn(head="gmm", objective="rwr", cell="gru", hidden_dims=(8,))


class TestRNNChooses(Contract):
    """BCQ of a Gaussian, which looks one observation ahead while it learns."""

    @pytest.fixture
    def config(self) -> BCConfig:
        return tiny.rnn(objective="bcq", head="gaussian", perturbation=0.0)


class TestTransformerChooses(Contract):
    """BCQ of a variational head, with a picture that critics see for themselves."""

    @pytest.fixture
    def config(self) -> BCConfig:
        return tiny.transformer(objective="bcq", input_features={**tiny.FEATURES["input_features"], **tiny.PICTURE})


class TestTransformerOfAllSteps(Contract):
    """A variational head; a row alone draws what it draws in a batch if it is sixteen numbers."""

    @pytest.fixture
    def config(self) -> BCConfig:
        return tiny.transformer(head="vae", supervise_all_steps=True, vae_latent_dim=16)


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "key"),
    [
        (tiny.mlp(objective="bcq"), "next.reward"),
        (tiny.rnn(objective="rwr"), "return_to_go"),
        (tiny.transformer(objective="awr"), "return_to_go"),
        (tiny.transformer(), "action_is_pad"),
        (tiny.mlp(objective="bcq"), "observation.state_is_pad"),
    ],
)
def test_what_a_batch_lacks_is_named(config: BCConfig, key: str) -> None:
    batch = tiny.batch_for(config)
    del batch[key]
    with pytest.raises(FeatureMismatchError, match=key):
        tiny.make(config).forward(batch)


@pytest.mark.parametrize("objective", ["bcq", "rwr", "awr"])
def test_a_dataset_without_rewards_is_refused(objective: str) -> None:
    with pytest.raises(FeatureMismatchError, match="learns from rewards") as refused:
        tiny.mlp(objective=objective).check_columns({"action", tiny.STATE}, "dataset me/cubes")
    assert "next.reward" in str(refused.value)
    tiny.mlp().check_columns({"action", tiny.STATE}, "dataset me/cubes")


def test_an_adapter_without_modules_is_refused() -> None:
    with pytest.raises(LeRobotError, match="cannot be adapted"):
        make_adapter(tiny.make(tiny.mlp()), "base", target_modules=None)


def test_only_what_depends_on_the_observation_alone_is_exported() -> None:
    for config in (tiny.rnn(), tiny.transformer()):
        with pytest.raises(LeRobotError, match=f"{config.type}.*cannot be exported"):
            require_exportable(tiny.make(config))
    config = tiny.mlp(head="gmm")
    examples = {key: value[:2] for key, value in tiny.newest(config, tiny.batch_for(config)).items()}
    trained = PolicyWithProcessors(tiny.make(config), make_processors(config, statistics(config)))
    with pytest.raises(LeRobotError, match="drawn at random"):
        trace(trained, examples)


def test_a_trace_acts_like_the_policy() -> None:
    config = tiny.mlp()
    trained = PolicyWithProcessors(tiny.make(config), make_processors(config, statistics(config)))
    examples = {key: value[:2] for key, value in tiny.newest(config, tiny.batch_for(config)).items()}
    traced = trace(trained, examples)
    assert traced.dynamic
    found = traced.program.module()(*(examples[port.name] for port in traced.ports))
    chunk = trained.policy.predict_action_chunk(trained.processors.preprocessor(examples))
    assert (found - trained.processors.postprocessor(chunk)).abs().max() < 1e-5


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    tiny.make(tiny.mlp()).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="network"):
        PreTrainedPolicy.from_pretrained(tmp_path, config=tiny.rnn())
    assert type(PreTrainedPolicy.from_pretrained(tmp_path).config) is type(tiny.mlp())


def test_settings_that_do_not_fit_are_refused() -> None:
    for make, changes, words in (
        (tiny.mlp, {"objective": "bcq", "head": "deterministic"}, "bcq can draw from"),
        (tiny.mlp, {"objective": "rwr", "head": "vae"}, "no likelihood"),
        (tiny.mlp, {"n_obs_steps": 2}, "remembers nothing"),
        (tiny.mlp, {"normalization_mapping": {"ACTION": "MEAN_STD"}}, "MIN_MAX"),
        (tiny.mlp, {"pretrained_backbone_weights": "ResNet18_Weights.IMAGENET1K_V1"}, "resnet8"),
        (tiny.transformer, {"heads": 3}, "multiple of heads"),
    ):
        with pytest.raises(ValueError, match=words):
            make(**changes)


def test_words_are_no_input() -> None:
    features = {**tiny.FEATURES["input_features"], "words": {"type": "LANGUAGE", "shape": (4,)}}
    with pytest.raises(FeatureMismatchError, match="words"):
        tiny.make(tiny.mlp(input_features=features))


def test_every_step_of_an_episode_draws_anew() -> None:
    policy = tiny.make(tiny.mlp(head="gmm"))
    observation = tiny.newest(policy.config, tiny.batch_for(policy.config))
    torch.manual_seed(1)
    acted = torch.stack([policy.select_action(observation) for _ in range(20)])
    assert len({tuple(action) for action in acted[:, 0].tolist()}) > 1

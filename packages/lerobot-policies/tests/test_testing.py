"""The contract of trainable policies holds for a good policy, and each of its tests fails for a broken one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from lerobot.core.testing.fake_policy import FakePolicyConfig
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import PolicyFeatures
from lerobot.policies.testing import TrainablePolicyContract


def tiny_batch(features: PolicyFeatures) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    return {key: torch.rand(8, *feature.shape, generator=generator) for key, feature in features.items()}


class TestTiny(TrainablePolicyContract):
    capabilities = frozenset({"export", "gradients"})

    @pytest.fixture
    def config(self, config: PreTrainedConfig) -> PreTrainedConfig:
        return config

    @pytest.fixture
    def batch(self, config: PreTrainedConfig) -> dict[str, Any]:
        return tiny_batch({**config.input_features, **config.output_features})


Break = Callable[[Any, pytest.MonkeyPatch], None]


def declares_a_window_it_has_not(policy: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(type(policy.config), "action_delta_indices", range(3))


def executes_more_than_it_predicts(policy: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(type(policy.config), "executed_steps", 3)


def hands_out_copies_of_its_weights(policy: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(policy, "parameter_groups", lambda: [nn.Parameter(policy.layer.weight.detach().clone())])


def keeps_a_number_that_is_not_saved(policy: Any, patch: pytest.MonkeyPatch) -> None:
    chosen = type(policy).select_action
    policy.number = 1.0
    patch.setattr(type(policy), "number", 0.0, raising=False)
    patch.setattr(type(policy), "select_action", lambda self, batch: chosen(self, batch) + self.number)


def exports_something_else(policy: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(type(policy), "exported_chunk", lambda self, batch: self.predict_action_chunk(batch) + 1)


@pytest.mark.parametrize(
    ("breaks", "test"),
    [
        (declares_a_window_it_has_not, "test_the_batch_is_what_training_gives"),
        (executes_more_than_it_predicts, "test_executed_steps_are_in_the_chunk"),
        (hands_out_copies_of_its_weights, "test_a_step_of_training_changes_it"),
        (keeps_a_number_that_is_not_saved, "test_a_checkpoint_acts_like_the_policy"),
        (exports_something_else, "test_the_exported_chunk_is_the_predicted_one"),
    ],
)
def test_a_broken_policy_fails(
    breaks: Break, test: str, config: PreTrainedConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = TestTiny()
    policy = suite.make(config)
    breaks(policy, monkeypatch)
    given = {
        "policy": policy,
        "config": config,
        "batch": tiny_batch({**config.input_features, **config.output_features}),
        "tmp_path": tmp_path,
    }
    method = getattr(suite, test)
    names = method.__code__.co_varnames[1 : method.__code__.co_argcount]
    with pytest.raises(AssertionError):
        method(**{name: given[name] for name in names})


def test_a_policy_of_another_base_fails() -> None:
    config = FakePolicyConfig()
    policy = config.build()
    with pytest.raises(AssertionError):
        TestTiny().test_commands_take_it(policy, config)

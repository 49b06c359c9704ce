"""Which settings and features are accepted, and that they are those of published checkpoints."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.tdmpc.config import TDMPCConfig

# Fields, their published order and their published defaults.
PUBLISHED: dict[str, Any] = {
    "type": "tdmpc",
    "n_obs_steps": 1,
    "input_features": {"observation.state": {"type": "STATE", "shape": [4]}},
    "output_features": {"action": {"type": "ACTION", "shape": [4]}},
    "device": "cpu",
    "use_amp": False,
    "use_peft": False,
    "push_to_hub": True,
    "repo_id": None,
    "private": None,
    "tags": None,
    "license": None,
    "pretrained_path": None,
    "pretrained_revision": None,
    "n_action_repeats": 2,
    "horizon": 5,
    "n_action_steps": 1,
    "normalization_mapping": {"VISUAL": "IDENTITY", "STATE": "IDENTITY", "ENV": "IDENTITY", "ACTION": "MIN_MAX"},
    "image_encoder_hidden_dim": 32,
    "state_encoder_hidden_dim": 256,
    "latent_dim": 50,
    "q_ensemble_size": 5,
    "mlp_dim": 512,
    "discount": 0.9,
    "use_mpc": True,
    "cem_iterations": 6,
    "max_std": 2.0,
    "min_std": 0.05,
    "n_gaussian_samples": 512,
    "n_pi_samples": 51,
    "uncertainty_regularizer_coeff": 1.0,
    "n_elites": 50,
    "elite_weighting_temperature": 0.5,
    "gaussian_mean_momentum": 0.1,
    "max_random_shift_ratio": 0.0476,
    "reward_coeff": 0.5,
    "expectile_weight": 0.9,
    "value_coeff": 0.1,
    "consistency_coeff": 20.0,
    "advantage_scaling": 3.0,
    "pi_coeff": 0.5,
    "temporal_decay_coeff": 0.5,
    "target_model_momentum": 0.995,
    "optimizer_lr": 0.0003,
}


def test_published_settings_are_the_defaults_in_their_order(tmp_path: Path) -> None:
    named = ("type", "input_features", "output_features", "device")
    (tmp_path / "config.json").write_text(json.dumps({key: PUBLISHED[key] for key in named}))
    dumped = Checkpoint.at(tmp_path).config().model_dump(mode="json")
    assert json.dumps(dumped) == json.dumps(PUBLISHED)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"n_obs_steps": 2}, "n_obs_steps = 1"),
        ({"n_gaussian_samples": 0}, "greater than 0"),
        ({"n_action_steps": 2}, "n_action_repeats = 1"),
        ({"n_action_steps": 2, "n_action_repeats": 1, "use_mpc": False}, "use_mpc"),
        ({"n_action_steps": 6, "n_action_repeats": 1}, "at most the horizon, 5"),
        ({"normalization_mapping": {"ACTION": "MEAN_STD"}}, "MIN_MAX for ACTION"),
        ({"normalization_mapping": {"STATE": "IDENTITY"}}, "MIN_MAX for ACTION"),
        ({"n_elites": 564}, "n_elites of at most n_gaussian_samples . n_pi_samples = 563"),
        ({"min_std": 3.0}, "min_std of at most max_std, 2"),
        ({"q_ensemble_size": 1}, "q_ensemble_size of at least 2"),
        ({"chunk_size": 3}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        TDMPCConfig(**changes)


STATE = PolicyFeature(type=FeatureType.STATE, shape=(4,))
ENV = PolicyFeature(type=FeatureType.ENV, shape=(6,))
ACTION = PolicyFeature(type=FeatureType.ACTION, shape=(4,))


def picture(*shape: int) -> PolicyFeature:
    return PolicyFeature(type=FeatureType.VISUAL, shape=shape)


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"observation.image": picture(3, 84, 84)}, "'observation.state'"),
        ({"observation.state": STATE, "observation.velocity": STATE}, "'observation.state'"),
        ({"observation.state": STATE, "a": picture(3, 84, 84), "b": picture(3, 84, 84)}, "at most one picture"),
        ({"observation.state": STATE, "observation.image": picture(3, 84, 96)}, "a square picture"),
        ({"observation.state": STATE, "observation.image": picture(3, 38, 38)}, "H >= 39"),
        ({"observation.state": STATE, "one": ENV, "two": ENV}, "at most one environment state"),
    ],
)
def test_features_it_cannot_work_with_are_refused(inputs: dict[str, PolicyFeature], expected: str) -> None:
    config = TDMPCConfig(input_features=inputs, output_features={"action": ACTION})
    with pytest.raises(FeatureMismatchError) as refusal:
        config.validate_features()
    assert expected in str(refusal.value)


def test_an_action_of_another_name_is_refused() -> None:
    config = TDMPCConfig(input_features={"observation.state": STATE}, output_features={"action.arm": ACTION})
    with pytest.raises(FeatureMismatchError, match="tdmpc has the inputs"):
        config.validate_features()


@pytest.mark.parametrize("pixels", [39, 64, 84, 97])
def test_every_picture_from_39_pixels_on_fits(pixels: int) -> None:
    inputs = {"observation.state": STATE, "observation.images.top": picture(1, pixels, pixels)}
    TDMPCConfig(input_features=inputs, output_features={"action": ACTION}).validate_features()


def test_what_follows_is_learned_from() -> None:
    config = TDMPCConfig(horizon=3)
    assert list(config.observation_delta_indices) == [0, 1, 2, 3]
    assert list(config.action_delta_indices) == [0, 1, 2]
    assert list(config.reward_delta_indices) == [0, 1, 2]


def test_rewards_are_asked_for_by_name() -> None:
    TDMPCConfig().check_columns({"action", "next.reward"}, "dataset x")
    with pytest.raises(FeatureMismatchError, match=r"dataset x has no 'next.reward'"):
        TDMPCConfig().check_columns({"action", "reward"}, "dataset x")


def test_presets_are_the_published_ones() -> None:
    assert TDMPCConfig().optimizer_preset() == {"type": "adam", "lr": 3e-4, "grad_clip_norm": 10.0}
    assert TDMPCConfig().scheduler_preset() is None

"""Which settings and features are accepted."""

from typing import Any

import pytest
from pydantic import ValidationError

from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.qcfql.config import QCFQLConfig


def test_the_defaults_are_those_of_the_paper() -> None:
    """Appendix of arXiv:2507.07969: chunks of 5, four layers of 512, Adam 3e-4, alpha 100, best of 32."""
    config = QCFQLConfig()
    assert (config.chunk_size, config.hidden_dims, config.flow_steps) == (5, (512,) * 4, 10)
    assert (config.discount, config.tau, config.alpha, config.n_samples) == (0.99, 0.005, 100.0, 32)
    assert (config.num_critics, config.q_agg) == (2, "mean")
    assert config.optimizer_preset() == {"type": "adam", "lr": 3e-4, "grad_clip_norm": 0.0}


def test_a_chunk_and_what_came_of_it_is_learned_from() -> None:
    config = QCFQLConfig(chunk_size=4)
    assert list(config.observation_delta_indices) == [0, 4]
    assert list(config.action_delta_indices) == list(config.reward_delta_indices) == [0, 1, 2, 3]
    assert config.executed_steps == 4


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"chunk_size": 0}, "greater than 0"),
        ({"hidden_dims": ()}, "at least 1 item"),
        ({"actor": "sac"}, "'one_step' or 'best_of_n'"),
        ({"normalization_mapping": {"ACTION": "MEAN_STD"}}, "MIN_MAX for ACTION"),
        ({"normalization_mapping": {"STATE": "IDENTITY"}}, "MIN_MAX for ACTION"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        QCFQLConfig(**changes)


def test_what_came_of_actions_is_asked_for_by_name() -> None:
    QCFQLConfig().check_columns({"action", "next.reward", "next.done"}, "dataset x")
    QCFQLConfig().check_columns({"action", "next.reward", "next.success"}, "dataset x")
    with pytest.raises(FeatureMismatchError, match=r"dataset x has no 'next.reward'"):
        QCFQLConfig().check_columns({"action", "next.done"}, "dataset x")
    with pytest.raises(FeatureMismatchError, match=r"dataset x has neither 'next.success' nor 'next.done'"):
        QCFQLConfig().check_columns({"action", "next.reward"}, "dataset x")


STATE = PolicyFeature(type=FeatureType.STATE, shape=(4,))
ACTION = PolicyFeature(type=FeatureType.ACTION, shape=(4,))


def test_features_it_cannot_work_with_are_refused() -> None:
    config = QCFQLConfig(input_features={"observation.state": STATE}, output_features={"action.arm": ACTION})
    with pytest.raises(FeatureMismatchError, match="'action' as the only output"):
        config.validate_features()
    small = PolicyFeature(type=FeatureType.VISUAL, shape=(3, 7, 64))
    config = QCFQLConfig(input_features={"observation.image": small}, output_features={"action": ACTION})
    with pytest.raises(FeatureMismatchError, match="pictures of at least 8 x 8 pixels"):
        config.validate_features()

"""The formulas, against values worked out by hand; statistics are what they were."""

import logging
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.core.processors import build_step, create_transition
from lerobot.core.testing import ProcessorContract
from lerobot.policies.features import FeatureType, NormalizationMode, PolicyFeature
from lerobot.policies.processing.config import NormalizerConfig, UnnormalizerConfig

STATE, ACTION = "observation.state", "action"


def feature(kind: str, *shape: int) -> PolicyFeature:
    return PolicyFeature(type=FeatureType(kind), shape=shape)


def step(mode: str, stats: Any, *, inverse: bool = False, size: int = 2) -> Any:
    config_class = UnnormalizerConfig if inverse else NormalizerConfig
    config = config_class(features={STATE: feature("STATE", size)}, norm_map={"STATE": mode})
    return build_step(config, {"stats": {STATE: stats}})


def apply(normalizer: Any, value: Any) -> torch.Tensor:
    value = value if isinstance(value, torch.Tensor) else torch.tensor(value)
    return normalizer(create_transition(observation={STATE: value}))["observation"][STATE]


class TestNormalizer(ProcessorContract):
    capabilities = frozenset({"state"})

    @pytest.fixture
    def config(self) -> NormalizerConfig:
        return NormalizerConfig(
            features={
                STATE: feature("STATE", 3),
                "observation.image": feature("VISUAL", 3, 4, 4),
                ACTION: feature("ACTION", 2),
            },
            norm_map={"STATE": "MEAN_STD", "VISUAL": "MEAN_STD", "ACTION": "MIN_MAX"},
        )

    def make(self, config: NormalizerConfig) -> Any:
        stats = {
            STATE: {"mean": torch.zeros(3), "std": torch.full((3,), 2.0)},
            "observation.image": {"mean": torch.full((3,), 0.5), "std": torch.full((3,), 0.25)},
            ACTION: {"min": torch.zeros(2), "max": torch.ones(2)},
        }
        return build_step(config, {"stats": stats})

    @pytest.fixture
    def transition(self) -> dict[str, Any]:
        observation = {STATE: torch.randn(2, 3), "observation.image": torch.rand(2, 3, 4, 4)}
        return create_transition(observation=observation, action=torch.rand(2, 2))


class TestUnnormalizer(TestNormalizer):
    @pytest.fixture
    def config(self) -> UnnormalizerConfig:
        return UnnormalizerConfig(features={ACTION: feature("ACTION", 2)}, norm_map={"ACTION": "MIN_MAX"})


@pytest.mark.parametrize(
    ("mode", "stats", "value", "expected"),
    [
        ("MEAN_STD", {"mean": [1.0, 2.0], "std": [0.5, 0.0]}, [2.0, 2.0], [2.0, 0.0]),
        ("MEAN_STD", {"mean": [1.0, 2.0], "std": [0.5, 0.0]}, [2.0, 3.0], [2.0, 1e8]),
        ("MIN_MAX", {"min": [0.0, 2.0], "max": [4.0, 2.0]}, [2.0, 2.0], [0.0, -1.0]),
        ("MIN_MAX", {"min": [0.0, 2.0], "max": [4.0, 2.0]}, [2.0, 3.0], [0.0, 2e8]),
        ("QUANTILES", {"q01": [0.1, 2.0], "q99": [3.9, 2.0]}, [2.0, 2.0], [0.0, -1.0]),
        ("QUANTILE10", {"q10": [0.0, -1.0], "q90": [2.0, 1.0]}, [3.0, -2.0], [2.0, -2.0]),
        ("IDENTITY", {}, [3.0, 4.0], [3.0, 4.0]),
    ],
)
def test_each_mode_gives_the_published_values(mode: str, stats: Any, value: Any, expected: Any) -> None:
    """Golden values of huggingface/lerobot 0.6; the quantile one is -6e-8 there, from the same rounding."""
    assert torch.allclose(apply(step(mode, stats), value), torch.tensor(expected), rtol=1e-6, atol=1e-6)


def test_the_inverse_of_a_constant_element_is_the_constant() -> None:
    inverse = step("MEAN_STD", {"mean": [1.0, 2.0], "std": [0.5, 0.0]}, inverse=True)
    assert apply(inverse, [2.0, 1e8]).tolist() == [2.0, 2.0]


@pytest.mark.parametrize("mode", [mode for mode in NormalizationMode if mode != "IDENTITY"])
@given(low=st.floats(-100, 100), width=st.floats(0.01, 100), value=st.floats(-1000, 1000))
def test_the_inverse_undoes_every_mode(mode: NormalizationMode, low: float, width: float, value: float) -> None:
    names = {
        "MEAN_STD": ("mean", "std"),
        "MIN_MAX": ("min", "max"),
        "QUANTILES": ("q01", "q99"),
        "QUANTILE10": ("q10", "q90"),
    }
    second = width if mode == "MEAN_STD" else low + width
    stats = dict(zip(names[mode], ([low], [second]), strict=True))
    there = apply(step(mode, stats, size=1), torch.tensor([value], dtype=torch.float32))
    back = apply(step(mode, stats, inverse=True, size=1), there)
    assert back.item() == pytest.approx(value, abs=1e-3 * (1 + abs(value) + abs(low)))


def test_a_call_in_half_precision_leaves_the_statistics_as_they_were() -> None:
    """The peer's saved statistics turn into bfloat16 after one such batch: 1.23456789 becomes 1.2344."""
    normalizer = step("MEAN_STD", {"mean": [1.23456789], "std": [0.3]}, size=1)
    before = {name: value.clone() for name, value in normalizer.state_dict().items()}
    assert apply(normalizer, torch.tensor([2.0], dtype=torch.bfloat16)).dtype == torch.bfloat16
    after = normalizer.state_dict()
    assert all(after[name].dtype == torch.float32 and torch.equal(after[name], before[name]) for name in before)


def test_integers_are_scaled_in_floating_point() -> None:
    """The peer truncates its statistics to integers: a deviation of 0.3 becomes 0."""
    normalizer = step("MEAN_STD", {"mean": [1.5], "std": [0.5]}, size=1)
    assert apply(normalizer, torch.tensor([2])).item() == pytest.approx(1.0)
    assert normalizer.state_dict()[f"{STATE}.std"].item() == 0.5


def test_counts_stay_integers_and_bookkeeping_columns_are_left_out() -> None:
    config = NormalizerConfig(features={STATE: feature("STATE", 1)}, norm_map={"STATE": "MEAN_STD"})
    stats = {
        STATE: {"mean": [0.0], "std": [1.0], "count": torch.tensor([2**24 + 1])},
        "index": {"mean": [5.0], "std": [1.0]},
    }
    state = build_step(config, {"stats": stats}).state_dict()
    assert set(state) == {f"{STATE}.mean", f"{STATE}.std", f"{STATE}.count"}
    assert state[f"{STATE}.count"].item() == 2**24 + 1


def test_flat_statistics_of_images_are_per_channel() -> None:
    config = NormalizerConfig(
        features={"observation.image": feature("VISUAL", 3, 2, 2)}, norm_map={"VISUAL": "MEAN_STD"}
    )
    stats = {"observation.image": {"mean": [0.0, 0.5, 1.0], "std": [1.0, 1.0, 1.0]}}
    image = torch.ones(1, 3, 2, 2)
    scaled = build_step(config, {"stats": stats})(create_transition(observation={"observation.image": image}))
    assert torch.allclose(scaled["observation"]["observation.image"][0, :, 0, 0], torch.tensor([1.0, 0.5, 0.0]))


def test_a_missing_statistic_is_refused_by_name() -> None:
    normalizer = step("QUANTILES", {"q01": [0.0, 0.0]})
    with pytest.raises(FeatureMismatchError, match=r"'q99' of 'observation\.state'"):
        apply(normalizer, [1.0, 2.0])
    with pytest.raises(CheckpointError, match=r"observation\.state\.q99"):
        normalizer.check()


def test_a_feature_without_any_statistics_is_refused_not_passed_through() -> None:
    config = NormalizerConfig(features={STATE: feature("STATE", 2)}, norm_map={"STATE": "MEAN_STD"})
    with pytest.raises(FeatureMismatchError, match=r"'mean' of 'observation\.state'"):
        apply(build_step(config), [1.0, 2.0])


def test_a_statistic_of_another_shape_is_refused() -> None:
    with pytest.raises(FeatureMismatchError, match=r"observation\.state\.mean has the shape \(3,\)"):
        step("MEAN_STD", {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0]})


@pytest.mark.parametrize("value", [[1.0, 2.0, 3.0], 1.0])
def test_values_of_another_size_are_refused_by_name(value: Any) -> None:
    with pytest.raises(FeatureMismatchError, match=r"normalizer_processor got 'observation\.state' of the shape"):
        apply(step("MEAN_STD", {"mean": [0.0, 0.0], "std": [1.0, 1.0]}), value)


def test_given_statistics_count_whatever_a_file_says() -> None:
    normalizer = step("MEAN_STD", {"mean": [1.0, 1.0], "std": [1.0, 1.0]})
    normalizer.load_state_dict({f"{STATE}.mean": torch.zeros(2), f"{STATE}.std": torch.ones(2)})
    assert apply(normalizer, [1.0, 1.0]).tolist() == [0.0, 0.0]


def test_only_chosen_observations_are_scaled() -> None:
    config = NormalizerConfig(
        features={STATE: feature("STATE", 1), "observation.other": feature("STATE", 1)},
        norm_map={"STATE": "MEAN_STD"},
        normalize_observation_keys=["observation.other"],
    )
    stats = {key: {"mean": [1.0], "std": [1.0]} for key in (STATE, "observation.other")}
    scaled = build_step(config, {"stats": stats})(
        create_transition(observation={STATE: torch.ones(1), "observation.other": torch.ones(1)})
    )["observation"]
    assert scaled[STATE].item() == 1.0
    assert scaled["observation.other"].item() == pytest.approx(0.0)
    assert "normalize_observation_keys" in build_step(config).get_config()
    assert "normalize_observation_keys" not in build_step(NormalizerConfig()).get_config()


def test_elements_that_never_vary_are_announced(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        step("MEAN_STD", {"mean": [1.0, 2.0], "std": [0.5, 0.0]})
    assert "elements [1] of 'observation.state' never vary" in caplog.text

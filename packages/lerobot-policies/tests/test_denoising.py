"""Noise and its levels, against independent definitions; and the settings around it."""

import math

import numpy as np
import pytest
import torch

from lerobot.policies.denoising.config import DenoisingConfig
from lerobot.policies.denoising.noise import LevelCode, NoiseSchedule


class NoisyConfig(DenoisingConfig):
    """Settings of a policy: the shared ones alone are a choice of policies."""

    target = f"{__name__}:NoisyPolicy"
    type: str = "noisy"


def schedule(**settings: object) -> NoiseSchedule:
    return NoiseSchedule(NoisyConfig(**settings))  # type: ignore[arg-type] # settings by name


@pytest.mark.parametrize("name", ["linear", "scaled_linear", "squaredcos_cap_v2"])
def test_the_share_of_signal_falls_as_published(name: str) -> None:
    """The formulas of arXiv:2006.11239, its square-root variant, and equation 17 of arXiv:2102.09672, in float64."""
    levels = np.arange(100)
    cosine = np.cos((np.arange(101) / 100 + 0.008) / 1.008 * np.pi / 2) ** 2
    steps = {
        "linear": 0.0001 + (0.02 - 0.0001) * levels / 99,
        "scaled_linear": (0.0001**0.5 + (0.02**0.5 - 0.0001**0.5) * levels / 99) ** 2,
        "squaredcos_cap_v2": np.minimum(1 - cosine[1:] / cosine[:-1], 0.999),
    }[name]
    assert np.allclose(schedule(beta_schedule=name).kept.numpy(), np.cumprod(1 - steps), rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize(
    ("levels", "visited", "expected"), [(6, None, [5, 4, 3, 2, 1, 0]), (10, 3, [6, 3, 0]), (7, 1, [0])]
)
def test_the_levels_visited_are_evenly_spread_and_end_at_the_least(
    levels: int, visited: int | None, expected: list[int]
) -> None:
    noise = schedule(num_train_timesteps=levels, num_inference_steps=visited)
    assert [level.number for level in noise.levels] == expected
    below = [noise.kept[number].item() for number in expected[1:]]
    assert [level.kept_below.item() for level in noise.levels] == [*below, 1.0]


def test_noise_is_mixed_by_amplitude() -> None:
    noise = schedule()
    mixed = noise.add(torch.full((2, 1, 1), 3.0), torch.full((2, 1, 1), 5.0), torch.tensor([0, 99]))
    for row, level in enumerate((0, 99)):
        kept = noise.kept[level].item()
        assert mixed[row].item() == pytest.approx(3 * math.sqrt(kept) + 5 * math.sqrt(1 - kept), rel=1e-5)


@pytest.mark.parametrize("kind", ["DDPM", "DDIM"])
@pytest.mark.parametrize("prediction", ["epsilon", "sample"])
def test_a_network_that_knows_leads_to_the_actions(kind: str, prediction: str) -> None:
    actions = torch.linspace(-0.9, 0.9, 24).reshape(2, 4, 3)
    noise = schedule(noise_scheduler_type=kind, prediction_type=prediction)

    def knowing(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        kept = noise.kept[levels].view(-1, 1, 1)
        return actions if prediction == "sample" else (noisy - kept.sqrt() * actions) / (1 - kept).sqrt()

    torch.manual_seed(0)
    assert torch.allclose(noise.remove(torch.randn(2, 4, 3), knowing), actions, atol=1e-3)


def test_predictions_are_kept_in_range_only_where_asked() -> None:
    def wild(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        return torch.full_like(noisy, 7.0)

    for clipped, expected in ((True, 2.0), (False, 7.0)):
        noise = schedule(
            noise_scheduler_type="DDIM", prediction_type="sample", clip_sample=clipped, clip_sample_range=2.0
        )
        assert torch.allclose(noise.remove(torch.zeros(1, 1, 1), wild), torch.tensor(expected))


def test_codes_of_levels_are_those_of_the_transformer_paper() -> None:
    codes = LevelCode(8)(torch.tensor([0, 3, 99]))
    for row, level in enumerate((0, 3, 99)):
        for index in range(4):
            angle = level * math.exp(-index * math.log(10000) / 3)
            assert codes[row, index].item() == pytest.approx(math.sin(angle), abs=1e-5)
            assert codes[row, 4 + index].item() == pytest.approx(math.cos(angle), abs=1e-5)


def test_frames_whose_executed_actions_are_not_there_are_not_drawn_unless_a_number_is_given() -> None:
    config = NoisyConfig(horizon=16, n_action_steps=8, n_obs_steps=3)
    # Of 16 actions from the oldest of 3 observations on, 14 begin at the newest, and 8 of them are executed.
    assert config.model_dump()["drop_n_last_frames"] == config.unlearned_last_frames == 6
    assert NoisyConfig(drop_n_last_frames=0).unlearned_last_frames == 0

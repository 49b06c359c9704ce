"""Chunks to actions, against the definitions written out."""

import math
from collections.abc import Mapping

import pytest
import torch

from lerobot.policies.chunks import ActionQueue, ObservationHistory, TemporalEnsembler
from lerobot.policies.features import FeatureType, PolicyFeature


def test_a_chunk_is_executed_before_the_next_one_is_predicted() -> None:
    chunks = iter(torch.arange(12.0).reshape(2, 1, 6, 1))
    queue = ActionQueue(4)
    assert [queue.next(lambda: next(chunks)).item() for _ in range(6)] == [0, 1, 2, 3, 6, 7]
    assert len(queue) == 2


def test_reset_forgets_the_rest_of_a_chunk() -> None:
    chunks = iter(torch.arange(6.0).reshape(2, 1, 3, 1))
    queue = ActionQueue(3)
    queue.next(lambda: next(chunks))
    queue.reset()
    assert queue.next(lambda: next(chunks)).item() == 3.0


@pytest.mark.parametrize("coefficient", [0.01, 0.0, -0.3, 1.0])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_running_average_is_the_weighted_mean_of_all_predictions(coefficient: float, size: int) -> None:
    """Algorithm 2 of arXiv:2304.13705 written out: w_i = exp(-m i), i = 0 for the oldest prediction of this tick."""
    chunks = torch.randn(12, 2, size, 3, generator=torch.Generator().manual_seed(0))
    ensembler = TemporalEnsembler(coefficient, size)
    for tick in range(12):
        made = range(max(0, tick - size + 1), tick + 1)
        weights = [math.exp(-coefficient * age) for age in range(len(made))]
        expected = sum(w * chunks[at, :, tick - at] for w, at in zip(weights, made, strict=True)) / sum(weights)
        assert torch.allclose(ensembler.next(lambda tick=tick: chunks[tick]), expected, atol=1e-6)


def test_reset_starts_a_new_average() -> None:
    ensembler = TemporalEnsembler(0.01, 3)
    ensembler.next(lambda: torch.zeros(1, 3, 1))
    ensembler.reset()
    assert ensembler.next(lambda: torch.ones(1, 3, 1)).item() == 1.0


class Looker:
    """Describes a state by its double, and counts how often it looked."""

    def __init__(self) -> None:
        self.looked = 0

    def __call__(self, observations: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        self.looked += 1
        return {"double": 2 * observations["state"]}


def history_of(looker: Looker) -> ObservationHistory:
    return ObservationHistory({"state": PolicyFeature(type=FeatureType.STATE, shape=(1,))}, 3, looker)


def test_a_history_begins_with_its_first_observation_repeated() -> None:
    history = history_of(looker := Looker())
    windows = []
    for value in (1.0, 2.0, 3.0, 4.0):
        history.add({"state": torch.full((2, 1), value), "other": None})
        windows.append(history.window()["double"][1, :, 0].tolist())
    assert windows == [[2, 2, 2], [2, 2, 4], [2, 4, 6], [4, 6, 8]]
    assert looker.looked == 4
    ahead = history.window_with({"state": torch.full((2, 1), 5.0)})["double"]
    assert ahead[0, :, 0].tolist() == [6, 8, 10]
    assert history.window()["double"][1, :, 0].tolist() == [4, 6, 8]
    history.reset()
    assert history.window_with({"state": torch.ones(2, 1)})["double"].shape == (2, 3, 1)


def test_what_no_window_has_is_never_looked_at() -> None:
    history = history_of(looker := Looker())
    for value in range(6):
        history.add({"state": torch.full((2, 1), float(value))}, wanted=False)
    assert looker.looked == 0
    assert history.window()["double"][0, :, 0].tolist() == [6, 8, 10]
    assert history.window()["double"].shape == (2, 3, 1)
    assert looker.looked == 3


def test_a_whole_window_is_described_at_once() -> None:
    history = history_of(looker := Looker())
    history.add({"state": torch.zeros(2, 1)}, wanted=False)
    window = torch.randn(2, 3, 1)
    assert torch.equal(history.window_with({"state": window})["double"], 2 * window)
    assert looker.looked == 1

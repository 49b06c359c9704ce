"""The way from noise to data, against definitions written out, and the pull of the last chunk, against goldens."""

import math

import pytest
import torch

from lerobot.policies.networks.flow_matching import Flow, beta_times, time_waves
from lerobot.policies.networks.guidance import guided, prefix_weights
from lerobot.policies.rtc import RTCConfig, Schedule


@pytest.mark.parametrize("flow", list(Flow))
def test_the_velocity_is_the_change_of_the_point_and_ends_at_the_data(flow: Flow) -> None:
    torch.manual_seed(0)
    noise, data = torch.randn(3, 4, 2), torch.randn(3, 4, 2)
    start, end = (1.0, 0.0) if flow is Flow.FROM_ONE else (0.0, 1.0)
    assert torch.equal(flow.point(noise, data, torch.full((3,), start)), noise)
    assert torch.equal(flow.point(noise, data, torch.full((3,), end)), data)
    times = torch.tensor([0.2, 0.5, 0.7])
    change = (flow.point(noise, data, times + 0.1) - flow.point(noise, data, times)) / 0.1
    assert torch.allclose(change, flow.velocity(noise, data), atol=1e-5)
    asked: list[float] = []

    def velocity(_point: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        asked.append(time[0].item())
        return flow.velocity(noise, data)

    assert torch.allclose(flow.integrate(velocity, noise, 4), data, atol=1e-6)
    assert asked == ([1.0, 0.75, 0.5, 0.25] if flow is Flow.FROM_ONE else [0.0, 0.25, 0.5, 0.75])


def test_times_are_of_the_distribution_and_keep_off_the_end() -> None:
    torch.manual_seed(0)
    times = beta_times(20_000, torch.device("cpu"))
    assert times.min() >= 0.001
    assert times.max() <= 1.0
    # The mean of Beta(1.5, 1) is 0.6.
    assert times.mean().item() == pytest.approx(0.6 * 0.999 + 0.001, abs=0.01)


def test_waves_are_sines_then_cosines_of_periods_in_a_geometric_series() -> None:
    waves = time_waves(torch.tensor([0.3, 1.0]), 6, 0.004, 4.0)
    for row, time in enumerate((0.3, 1.0)):
        for index, period in enumerate((0.004, math.sqrt(0.004 * 4.0), 4.0)):
            # float32 times; 250 turns of the shortest period.
            angle = 2 * math.pi * torch.tensor(time).item() / period
            assert waves[row, index].item() == pytest.approx(math.sin(angle), abs=1e-5)
            assert waves[row, 3 + index].item() == pytest.approx(math.cos(angle), abs=1e-5)


GOLDEN_WEIGHTS: list[tuple[Schedule, int, int, list[float]]] = [
    ("ZEROS", 2, 6, [1, 1, 0, 0, 0, 0, 0, 0]),
    ("ZEROS", 0, 4, [0] * 8),
    ("ONES", 2, 6, [1, 1, 1, 1, 1, 1, 0, 0]),
    ("ONES", 7, 4, [1, 1, 1, 1, 0, 0, 0, 0]),
    ("LINEAR", 2, 6, [1, 1, 0.8, 0.6, 0.4, 0.2, 0, 0]),
    ("LINEAR", 0, 4, [0.8, 0.6, 0.4, 0.2, 0, 0, 0, 0]),
    ("LINEAR", 7, 4, [1, 1, 1, 1, 0, 0, 0, 0]),
    ("EXP", 2, 6, [1, 1, 0.5706, 0.2871, 0.1145, 0.0258, 0, 0]),
    ("EXP", 0, 4, [0.5706, 0.2871, 0.1145, 0.0258, 0, 0, 0, 0]),
]
"""Of huggingface/lerobot 0.6.1: schedule, delay, horizon, weights of a chunk of 8."""


@pytest.mark.parametrize(("schedule", "delay", "horizon", "expected"), GOLDEN_WEIGHTS)
def test_weights_of_the_last_chunk(schedule: Schedule, delay: int, horizon: int, expected: list[float]) -> None:
    assert prefix_weights(schedule, delay, horizon, 8).tolist() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (1.0, [-10, -6.1875, -2.79167, 0.1875, 0.25, 0.3125, 0.375, 0.4375]),
        (0.75, [-3.33333, -1.98611, -0.8125, 0.1875, 0.25, 0.3125, 0.375, 0.4375]),
        (0.5, [-2.0, -1.14583, -0.41667, 0.1875, 0.25, 0.3125, 0.375, 0.4375]),
        (0.1, [-9.11111, -5.29028, -2.19074, 0.1875, 0.25, 0.3125, 0.375, 0.4375]),
    ],
)
def test_the_pull_of_the_last_chunk(time: float, expected: list[float]) -> None:
    """Of huggingface/lerobot 0.6.1: velocity 0.5 x, last chunk of three ones, delay 1, horizon 4."""
    point = torch.arange(8.0).view(1, 8, 1) / 8
    drawn = guided(lambda x, _: 0.5 * x, RTCConfig(execution_horizon=4), torch.ones(1, 3, 1), point.shape, delay=1)
    assert drawn(point, torch.tensor([time])).flatten().tolist() == pytest.approx(expected, abs=1e-4)


def test_the_pull_through_the_derivative_is_that_of_the_paper() -> None:
    point = torch.arange(8.0).view(1, 8, 1) / 8
    config = RTCConfig(execution_horizon=4, use_jacobian=True)
    with torch.no_grad():
        drawn = guided(lambda x, _: 0.5 * x, config, torch.ones(1, 3, 1), point.shape, delay=1)
        found = drawn(point, torch.tensor([0.5]))
    # The estimate of the end is x - 0.5 * 0.5 x, so that its derivative is 0.75; the factor at 0.5 is 2.
    weights = torch.tensor([1.0, 2 / 3, 1 / 3, 0, 0, 0, 0, 0]).view(1, 8, 1)
    assert torch.allclose(found, 0.5 * point - 2 * 0.75 * weights * (1 - 0.75 * point), atol=1e-5)


@pytest.mark.parametrize(("rows", "steps", "width"), [(2, 12, 3), (2, 5, 2), (1, 12, 1)])
def test_the_last_chunk_may_be_longer_or_narrower(rows: int, steps: int, width: int) -> None:
    point = torch.randn(rows, 8, 3)
    drawn = guided(lambda x, _: x, RTCConfig(), torch.ones(rows, steps, width), point.shape, delay=20)
    assert drawn(point, torch.full((rows,), 0.5)).shape == point.shape

"""The way from noise to data, against definitions written out, and the pull of a chunk."""

import math

import pytest
import torch

from lerobot.core.config.rtc import RTCConfig
from lerobot.policies.networks.flow_matching import Flow, beta_times, time_waves
from lerobot.policies.rtc.continuation import Continuation
from lerobot.policies.rtc.guidance import Guidance


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


@pytest.mark.parametrize("flow", list(Flow))
def test_the_way_is_drawn_to_the_chunk_that_is_being_executed(flow: Flow) -> None:
    noise = torch.zeros(1, 8, 2)
    going_on = Continuation(torch.full((1, 3, 2), 5.0), 1, RTCConfig(execution_horizon=3, use_jacobian=False))
    found = flow.integrate(lambda point, _: torch.zeros_like(point), noise, 10, Guidance(going_on, noise))
    assert found[0, 0, 0] == pytest.approx(5.0, abs=0.5)
    assert (found[0, 3:] == 0).all()

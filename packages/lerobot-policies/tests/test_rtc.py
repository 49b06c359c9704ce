"""Real-time chunking against numbers of huggingface/lerobot 0.6.1 and the formulas of the papers, to 1e-6."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from lerobot.core.config.rtc import RTCConfig, Schedule
from lerobot.core.errors import LeRobotError
from lerobot.policies.rtc.continuation import Continuation
from lerobot.policies.rtc.guidance import Guidance
from lerobot.policies.rtc.prefix import Prefix, draw_delays, given
from lerobot.policies.rtc.weights import prefix_weights

# Rounded to 4 digits, from huggingface/lerobot 0.6.1.
WEIGHTS: dict[tuple[Schedule, int, int], list[float]] = {
    ("ZEROS", 2, 6): [1, 1, 0, 0, 0, 0, 0, 0],
    ("ZEROS", 0, 4): [0] * 8,
    ("ZEROS", 7, 4): [1, 1, 1, 1, 0, 0, 0, 0],
    ("ONES", 2, 6): [1, 1, 1, 1, 1, 1, 0, 0],
    ("ONES", 0, 4): [1, 1, 1, 1, 0, 0, 0, 0],
    ("ONES", 7, 4): [1, 1, 1, 1, 0, 0, 0, 0],
    ("LINEAR", 2, 6): [1, 1, 0.8, 0.6, 0.4, 0.2, 0, 0],
    ("LINEAR", 0, 4): [0.8, 0.6, 0.4, 0.2, 0, 0, 0, 0],
    ("LINEAR", 7, 4): [1, 1, 1, 1, 0, 0, 0, 0],
    ("EXP", 2, 6): [1, 1, 0.5706, 0.2871, 0.1145, 0.0258, 0, 0],
    ("EXP", 0, 4): [0.5706, 0.2871, 0.1145, 0.0258, 0, 0, 0, 0],
    ("EXP", 7, 4): [1, 1, 1, 1, 0, 0, 0, 0],
}
# One guided velocity of huggingface/lerobot 0.6.1: x = 0/8 .. 7/8, v(y) = y / 2, previous chunk 1 1 1, delay 1.
GUIDED = {
    1.0: [-10, -6.1875, -2.7916667],
    0.75: [-3.3333333, -1.9861111, -0.8125],
    0.5: [-2.0, -1.1458333, -0.4166667],
    0.1: [-9.1111111, -5.2902778, -2.1907407],
}
NOISY = torch.arange(8.0).view(1, 8, 1) / 8


def continuation(previous: Tensor, delay: int, **settings: Any) -> Continuation:
    return Continuation(previous, delay, RTCConfig(**settings))


@pytest.mark.parametrize(("schedule", "start", "end"), WEIGHTS)
def test_weights_are_those_of_the_peer(schedule: Schedule, start: int, end: int) -> None:
    expected = torch.tensor(WEIGHTS[schedule, start, end], dtype=torch.float32)
    assert torch.allclose(prefix_weights(schedule, start, end, 8), expected, atol=5e-5)


@pytest.mark.parametrize("time", GUIDED)
def test_the_identity_gives_the_peers_velocity(time: float) -> None:
    going_on = continuation(torch.ones(1, 3, 1), 1, execution_horizon=4, use_jacobian=False)
    found = Guidance(going_on, NOISY).velocity(NOISY, time, lambda x: x / 2, data_at=0)
    expected = torch.tensor([*GUIDED[time], 0.1875, 0.25, 0.3125, 0.375, 0.4375]).view(1, 8, 1)
    assert torch.allclose(found, expected, atol=1e-6)


def linear(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """A matrix that mixes all 15 numbers of a chunk `(1, 5, 3)`, such a chunk and a previous one."""
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(15, 15, generator=generator, dtype=torch.float64)
    noisy, previous = torch.randn(2, 1, 5, 3, generator=generator, dtype=torch.float64)
    return matrix, noisy, previous


def strength(share: float, most: float = 10.0) -> float:
    """Equation 2 of arXiv:2506.07339, by its own symbols: (1 - tau) / tau times 1 / r^2."""
    r_squared = (1 - share) ** 2 / (share**2 + (1 - share) ** 2)
    return min((1 - share) / (share * r_squared), most)


@pytest.mark.parametrize("data_at", [0, 1])
@pytest.mark.parametrize("time", [0.9, 0.5, 0.25])
@pytest.mark.parametrize("schedule", ["LINEAR", "EXP"])
def test_the_whole_jacobian_is_that_of_the_paper(data_at: Any, time: float, schedule: Schedule) -> None:
    """Of a linear field the Jacobian is known: a matrix that is not symmetric shows if it is taken the wrong way."""
    matrix, noisy, previous = linear()
    going_on = continuation(previous[:, :4], 1, prefix_attention_schedule=schedule, execution_horizon=4)
    found = Guidance(going_on, noisy).velocity(
        noisy, time, lambda x: (matrix @ x.flatten()).view_as(x), data_at=data_at
    )

    flat = noisy.flatten()
    jacobian = torch.eye(15, dtype=torch.float64) + (data_at - time) * matrix
    falling = torch.tensor([0.75, 0.5, 0.25], dtype=torch.float64)
    if schedule == "EXP":
        falling = falling * (falling.exp() - 1) / (math.e - 1)
    weights = torch.cat([torch.ones(1), falling, torch.zeros(1)]).repeat_interleave(3)
    pull = jacobian.T @ (weights * (previous.flatten() - jacobian @ flat))
    towards = 1 if data_at else -1
    expected = matrix @ flat + towards * strength(time if data_at else 1 - time) * pull
    assert torch.allclose(found.flatten(), expected, atol=1e-6)


def test_both_directions_of_time_are_one_method() -> None:
    matrix, noisy, previous = linear()
    guidance = Guidance(continuation(previous, 2, execution_horizon=4), noisy)

    def field(x: Tensor) -> Tensor:
        return (matrix @ x.flatten()).view_as(x).tanh()

    down = guidance.velocity(noisy, 0.3, field, data_at=0)
    up = guidance.velocity(noisy, 0.7, lambda x: -field(x), data_at=1)
    assert torch.allclose(down, -up, atol=1e-12)


@pytest.mark.parametrize("jacobian", [True, False])
@pytest.mark.parametrize("kept", [0.01, 0.3, 0.98])
def test_diffusion_is_guided_as_the_flow_it_is(kept: float, jacobian: bool) -> None:
    """A step of DDIM is one of Euler, in actions and noise mixed by shares that add up to 1."""
    matrix, noisy, previous = linear(1)
    going_on = continuation(previous, 2, execution_horizon=4, use_jacobian=jacobian)
    guidance = Guidance(going_on, noisy)

    def guess(noisy: Tensor) -> Tensor:
        return (matrix @ noisy.flatten()).view_as(noisy).sin()

    signal, spread = math.sqrt(kept), math.sqrt(1 - kept)
    scale, share = signal + spread, signal / (signal + spread)
    actions, change = guidance.change(noisy, kept, lambda x: (guess(x), guess(x)))
    assert torch.equal(actions, guess(noisy))

    def field(mixture: Tensor) -> Tensor:
        return (guess(mixture * scale) - mixture) / (1 - share)

    velocity = guidance.velocity(noisy / scale, share, field, data_at=1)
    assert torch.allclose(noisy / scale + (1 - share) * velocity, actions + change, atol=1e-6)

    if jacobian:
        whole = torch.autograd.functional.jacobian(guess, noisy).view(15, 15)
        error = (previous - actions).flatten() * torch.tensor([1, 1, 2 / 3, 1 / 3, 0]).repeat_interleave(3)
        assert torch.allclose(change.flatten(), spread * strength(share) * whole.T @ error, atol=1e-6)


def test_a_chunk_shorter_longer_or_narrower_than_the_new_one() -> None:
    x = torch.zeros(1, 4, 2)

    def pull(previous: Tensor, delay: int = 0, first: int = 0) -> Tensor:
        going_on = continuation(previous, delay, prefix_attention_schedule="ONES", use_jacobian=False)
        return Guidance(going_on, x, first=first).velocity(x, 0.5, torch.zeros_like, data_at=1)[0]

    assert pull(torch.ones(1, 9, 2)).tolist() == [[2, 2]] * 4, "longer: as far as there is a chunk"
    assert pull(torch.ones(1, 2, 2)).tolist() == [[2, 2], [2, 2], [0, 0], [0, 0]], "shorter: no further"
    assert pull(torch.ones(1, 2, 1)).tolist() == [[2, 0], [2, 0], [0, 0], [0, 0]], "narrower: filled up with zeros"
    assert pull(torch.ones(1, 9, 2), first=3).tolist() == [[0, 0]] * 3 + [[2, 2]], "later: not before its time"
    assert pull(torch.ones(1, 9, 2), delay=99).tolist() == [[2, 2]] * 4, "all of it executed before the new one"


def test_rows_are_guided_each_by_its_own() -> None:
    _, noisy, previous = linear()
    field = torch.nn.Linear(3, 3, dtype=torch.float64)
    rows, goals = torch.cat([noisy, noisy + 1]), torch.cat([previous, previous - 2])
    together = Guidance(continuation(goals, 1), rows).velocity(rows, 0.4, field, data_at=0)
    for row in range(2):
        alone = Guidance(continuation(goals[row : row + 1], 1), rows[row : row + 1])
        assert torch.allclose(together[row], alone.velocity(rows[row : row + 1], 0.4, field, data_at=0)[0], atol=1e-12)
    assert not together.requires_grad


def test_what_cannot_be_continued_is_refused() -> None:
    x = torch.zeros(1, 4, 2)
    with pytest.raises(LeRobotError, match=r"\(1, 4, 2\) cannot continue one of \(2, 4, 2\)"):
        Guidance(continuation(torch.zeros(2, 4, 2), 0), x)
    with pytest.raises(LeRobotError, match="cannot continue"):
        Guidance(continuation(torch.zeros(1, 4, 3), 0), x)
    with torch.inference_mode():
        with pytest.raises(LeRobotError, match="use_jacobian=false"):
            Guidance(continuation(torch.zeros(1, 4, 2), 0), x)
        Guidance(continuation(torch.zeros(1, 4, 2), 0, use_jacobian=False), x)


# --- trained ---------------------------------------------------------------------------------------------------------


def test_a_prefix_stays_as_it_is() -> None:
    noise, previous = torch.randn(2, 5, 3), torch.randn(2, 4, 2)
    prefix = Prefix(continuation(previous, 2), noise, longest=3)
    held = prefix.hold(noise)
    assert torch.equal(held[:, :2, :2], previous[:, :2])
    assert not held[:, :2, 2].any(), "filled up with zeros"
    assert torch.equal(held[:, 2:], noise[:, 2:])
    assert prefix.times(torch.tensor([0.5, 1.0]), 5).tolist() == [[0, 0, 0.5, 0.5, 0.5], [0, 0, 1, 1, 1]]
    assert prefix.times(torch.tensor([0.5, 0.0]), 3, data_at=1.0).tolist() == [[1, 1, 0.5], [1, 1, 0]]


@pytest.mark.parametrize(
    ("previous", "delay", "longest"),
    [
        (torch.zeros(1, 4, 2), 3, 2),
        (torch.zeros(1, 9, 2), 5, 9),
        (torch.zeros(1, 1, 2), 2, 3),
        (torch.zeros(1, 4, 2), -1, 3),
        (torch.zeros(2, 4, 2), 1, 3),
        (torch.zeros(1, 4, 3), 1, 3),
        (torch.full((1, 4, 2), math.nan), 1, 3),
    ],
)
def test_a_prefix_that_was_not_learned_is_refused(previous: Tensor, delay: int, longest: int) -> None:
    with pytest.raises(LeRobotError):
        Prefix(continuation(previous, delay), torch.zeros(1, 5, 2), longest)


def test_delays_to_learn_from() -> None:
    torch.manual_seed(0)
    delays = draw_delays(2000, 3)
    shares = torch.bincount(delays, minlength=4) / 2000
    assert shares.shape == (4,)
    assert ((shares - 0.25).abs() < 0.05).all()
    assert given(torch.tensor([0, 2]), 3).tolist() == [[False] * 3, [True, True, False]]


def test_the_configuration_is_read_by_the_peer() -> None:
    """Fields that its release 0.6.1 refuses are left out as long as they say nothing new."""
    peers = {
        "enabled",
        "prefix_attention_schedule",
        "max_guidance_weight",
        "execution_horizon",
        "debug",
        "debug_maxlen",
    }
    assert RTCConfig().model_dump().keys() == peers
    assert RTCConfig(mode="trained", use_jacobian=False).model_dump().keys() == peers | {"mode", "use_jacobian"}

"""The losses against those of the papers, written once more in numpy, and their properties."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from lerobot.qcfql.losses import Chunks, Draws, losses
from lerobot.qcfql.policy import QCFQLPolicy

Numbers = NDArray[np.float64]
Make = Callable[..., QCFQLPolicy]
Batch = Callable[..., dict[str, Any]]


def given(policy: QCFQLPolicy, batch: dict[str, Any], seed: int = 1) -> tuple[Chunks, Draws]:
    chunks = policy._chunks(batch)
    torch.manual_seed(seed)
    return chunks, Draws.of(policy.model, chunks.actions)


def mlp(net: nn.Sequential, *inputs: Numbers) -> Numbers:
    """Layers of `arXiv:2502.02538`: linear, GELU in its tanh form, and a normalisation where there is one."""
    found = np.concatenate(inputs, -1)
    for layer in net:
        if isinstance(layer, nn.Linear):
            found = found @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy()
        elif isinstance(layer, nn.GELU):
            found = 0.5 * found * (1 + np.tanh(np.sqrt(2 / np.pi) * (found + 0.044715 * found**3)))
        else:
            assert isinstance(layer, nn.LayerNorm)
            centred = found - found.mean(-1, keepdims=True)
            found = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6)
            found = found * layer.weight.detach().double().numpy() + layer.bias.detach().double().numpy()
    return found


def state(seen: Any) -> Numbers:
    return np.concatenate([value.double().numpy() for value in seen.values()], -1)


def flowed(policy: QCFQLPolicy, seen: Numbers, noise: Numbers) -> Numbers:
    steps = policy.config.flow_steps
    for step in range(steps):
        time = np.full((len(noise), 1), step / steps)
        noise = noise + mlp(policy.model.flow.net, seen, noise, time) / steps
    return np.clip(noise, -1, 1)


def judged(nets: nn.ModuleList, seen: Numbers, chunks: Numbers) -> Numbers:
    return np.stack([mlp(net, seen, chunks)[:, 0] for net in nets])


def acted(policy: QCFQLPolicy, seen: Numbers, noise: Numbers) -> Numbers:
    """Row by row: the one-step network, or the best of what the behaviour proposes."""
    if policy.model.one_step is not None:
        return np.clip(mlp(policy.model.one_step.net, seen, noise), -1, 1)
    lowest = policy.config.q_agg == "min"
    chosen = []
    for row, proposals in zip(seen, noise, strict=True):
        chunks = np.stack([flowed(policy, row[None], each[None])[0] for each in proposals])
        values = judged(policy.model.critic.nets, np.repeat(row[None], len(chunks), 0), chunks)
        chosen.append(chunks[np.argmax(values.min(0) if lowest else values.mean(0))])
    return np.stack(chosen)


def expected(policy: QCFQLPolicy, seen: Chunks, draws: Draws) -> dict[str, float]:
    """Section 3 of the fact sheet, which is that of the papers."""
    config, before, after = policy.config, state(seen.before), state(seen.after)
    chunks, rewards = seen.actions.double().numpy(), seen.rewards.double().numpy()
    rows, steps, _ = chunks.shape
    flat = chunks.reshape(rows, -1)
    following = acted(policy, after, draws.following.double().numpy())
    slow = judged(policy.target_critic.nets, after, following)
    slow = slow.min(0) if config.q_agg == "min" else slow.mean(0)
    values = judged(policy.model.critic.nets, before, flat)
    critic = 0.0
    for row in range(rows):
        alive, target = 1.0, 0.0
        for step in range(steps):
            target += config.discount**step * (rewards[row, step] + config.reward_offset)
            alive *= 1.0 - float(seen.solved[row, step])
        target += config.discount**steps * alive * slow[row]
        known = bool(seen.acted[row].all()) and (bool(seen.continued[row]) or bool(seen.solved[row, -1]))
        critic += float(known) * float(((values[:, row] - target) ** 2).mean()) / rows
    start, time = draws.start.double().numpy(), draws.time.double().numpy()[:, None]
    velocity = mlp(policy.model.flow.net, before, (1 - time) * start + time * flat, time)
    errors = ((velocity - (flat - start)) ** 2).reshape(chunks.shape) * seen.acted.numpy()[..., None]
    found = {"critic_loss": critic, "flow_loss": float(errors.mean()), "Q": float(values.mean())}
    total = critic + found["flow_loss"]
    if policy.model.one_step is not None:
        noise = draws.copied.double().numpy()
        raw = mlp(policy.model.one_step.net, before, noise)
        found["distillation_loss"] = float(((raw - flowed(policy, before, noise)) ** 2).mean())
        found["Q_one_step"] = float(judged(policy.model.critic.nets, before, np.clip(raw, -1, 1)).mean())
        total += config.alpha * found["distillation_loss"] - found["Q_one_step"]
    return {**found, "loss": total}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"alpha": 3.0, "q_agg": "min", "num_critics": 3, "discount": 0.8, "reward_offset": -1.0},
        {"actor": "best_of_n"},
        {"actor": "best_of_n", "q_agg": "min", "n_samples": 1},
        {"chunk_size": 1},
    ],
)
def test_the_losses_are_those_of_the_papers(changes: dict[str, Any], make: Make, make_batch: Batch) -> None:
    policy = make(**changes).double()
    seen, draws = given(policy, {key: _double(value) for key, value in make_batch(policy.config).items()})
    loss, parts = losses(policy.config, policy.model, policy.target_critic, seen, draws)
    wanted = expected(policy, seen, draws)
    for name, value in wanted.items():
        assert (loss if name == "loss" else parts[name]).item() == pytest.approx(value, rel=1e-6), name
    assert len(parts) == len(wanted) - 1


def _double(value: Any) -> Any:
    return value.double() if value.is_floating_point() else value


def test_chunks_of_one_action_are_plain_fql(make: Make, make_batch: Batch) -> None:
    """Park, Li, Levine 2025, equation 6: r + gamma (1 - done) Q(s', a'), of single transitions."""
    policy = make(chunk_size=1)
    batch = make_batch(policy.config)
    batch["action_is_pad"][:] = False
    batch["observation.state_is_pad"][1:] = False
    seen, draws = given(policy, batch)
    with torch.no_grad():
        action = torch.cat((*seen.after.values(), draws.following), -1)
        action = policy.model.one_step.net(action).clamp(-1, 1)  # type: ignore[union-attr]
        after = torch.cat((*seen.after.values(), action), -1)
        future = torch.stack([net(after)[:, 0] for net in policy.target_critic.nets]).mean(0)
        target = seen.rewards[:, 0] + 0.99 * (1 - seen.solved[:, 0].float()) * future
        before = torch.cat((*seen.before.values(), seen.actions[:, 0]), -1)
        wanted = torch.stack([(net(before)[:, 0] - target).square().mean() for net in policy.model.critic.nets]).mean()
        _, parts = losses(policy.config, policy.model, policy.target_critic, seen, draws)
    assert parts["critic_loss"].item() == pytest.approx(wanted.item(), rel=1e-5)


def test_of_what_nobody_knows_the_critics_learn_nothing(make: Make, make_batch: Batch) -> None:
    """Chunks that run beyond an episode's end, and those after which a recording breaks off."""
    policy = make(actor="best_of_n")
    batch = make_batch(policy.config)
    rows = {key: value[1:3] for key, value in batch.items()}
    seen, draws = given(policy, rows)
    loss, parts = losses(policy.config, policy.model, policy.target_critic, seen, draws)
    loss.backward()
    assert parts["critic_loss"] == 0.0
    assert all(not parameter.grad.any() for parameter in policy.model.critic.parameters())  # type: ignore[union-attr]
    assert any(parameter.grad.any() for parameter in policy.model.flow.parameters())  # type: ignore[union-attr]
    solved, draws = given(policy, {key: value[:1] for key, value in batch.items()})
    assert losses(policy.config, policy.model, policy.target_critic, solved, draws)[1]["critic_loss"] > 0.0


def test_the_critics_do_not_learn_to_like_what_is_done(make: Make, make_batch: Batch) -> None:
    """The critics' gradient is that of their own loss, the behaviour's that of its own: both as without a network."""
    gradients = []
    for actor in ("one_step", "best_of_n"):
        policy = make(actor=actor, n_samples=1)
        start = make()
        policy.model.flow.load_state_dict(start.model.flow.state_dict())
        policy.model.critic.load_state_dict(start.model.critic.state_dict())
        batch = make_batch(policy.config)
        # Nothing follows, so that it does not matter how it acts.
        batch["next.success"][:, -1] = True
        seen, draws = given(make(), batch)
        draws = replace(draws, following=torch.zeros_like(policy.model.noise(8, seen.actions)))
        losses(policy.config, policy.model, policy.target_critic, seen, draws)[0].backward()
        learned = (*policy.model.critic.parameters(), *policy.model.flow.parameters())
        gradients.append([parameter.grad.clone() for parameter in learned])  # type: ignore[union-attr]
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, atol=1e-7)


def test_held_strongly_the_network_acts_as_the_behaviour(make: Make, make_batch: Batch) -> None:
    gaps = []
    for alpha in (1e4, 0.0):
        policy = make(alpha=alpha)
        actor, flow = policy.model.one_step, policy.model.flow
        assert actor is not None
        seen, draws = given(policy, make_batch(policy.config, rows=4))
        with torch.no_grad():
            wanted = flow.chunks(flow.sight(seen.before), draws.copied)
        optimizer = torch.optim.Adam(actor.parameters(), lr=3e-2)
        for _ in range(40):
            optimizer.zero_grad()
            losses(policy.config, policy.model, policy.target_critic, seen, draws)[0].backward()
            optimizer.step()
        with torch.no_grad():
            assert torch.equal(flow.chunks(flow.sight(seen.before), draws.copied), wanted)
            gaps.append((policy.model.act(seen.before, draws.copied) - wanted).abs().mean().item())
    assert gaps[0] < 0.05 < 0.5 < gaps[1]


def test_the_best_of_one_is_the_behaviour(make: Make, make_batch: Batch) -> None:
    policy = make(actor="best_of_n", n_samples=1)
    seen, draws = given(policy, make_batch(policy.config))
    flow = policy.model.flow
    wanted = flow.chunks(flow.sight(seen.before), draws.following[:, 0])
    assert torch.equal(policy.model.act(seen.before, draws.following), wanted)


def test_the_best_is_chosen(make: Make, make_batch: Batch) -> None:
    policy = make(actor="best_of_n", n_samples=7)
    seen, draws = given(policy, make_batch(policy.config))
    with torch.no_grad():
        chosen = policy.model.act(seen.before, draws.following)
        critic, flow = policy.model.critic, policy.model.flow
        best = critic.judge(critic.sight(seen.before), chosen)
        for number in range(7):
            proposal = flow.chunks(flow.sight(seen.before), draws.following[:, number])
            assert (critic.judge(critic.sight(seen.before), proposal) <= best + 1e-6).all()

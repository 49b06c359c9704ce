"""Losses against the formulas of the papers, computed by numpy from weights and draws."""

import math
from typing import Any

import numpy as np
import pytest
import tiny_bc as tiny
import torch
from numpy.typing import NDArray

from lerobot.bc.config import BCConfig
from lerobot.bc.policy import BCPolicy

Array = NDArray[np.float64]
CLOSE = 1e-5


def numpy_mlp(weights: dict[str, Array], name: str, inputs: Array) -> Array:
    """Linear layers `name.0`, `name.2`, ... with ReLU between them."""
    layers = sorted(int(key.split(".")[-2]) for key in weights if key.startswith(f"{name}.") and key.endswith("weight"))
    for layer in layers:
        inputs = inputs @ weights[f"{name}.{layer}.weight"].T + weights[f"{name}.{layer}.bias"]
        if layer != layers[-1]:
            inputs = np.maximum(inputs, 0)
    return inputs


def weights_of(policy: BCPolicy) -> dict[str, Array]:
    return {key: value.double().numpy() for key, value in policy.state_dict().items()}


def vectors_of(config: BCConfig, batch: dict[str, Any]) -> Array:
    """States of a batch, `(B, T, D)`."""
    parts = [batch[key].double().numpy() for key in config.input_features]
    joined = np.concatenate(parts, axis=-1)
    return joined[:, None] if joined.ndim == 2 else joined


def features_of(weights: dict[str, Array], vectors: Array) -> Array:
    """The MLP network, behind whose last layer there is a ReLU too."""
    return np.maximum(numpy_mlp(weights, "network.layers", vectors), 0)


def linear(weights: dict[str, Array], name: str, inputs: Array) -> Array:
    return inputs @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def softplus(values: Array) -> Array:
    return np.log1p(np.exp(-np.abs(values))) + np.maximum(values, 0)


def log_normal(action: Array, mean: Array, std: Array) -> Array:
    """Log-density of a diagonal Gaussian over the last axis."""
    return (-0.5 * ((action - mean) / std) ** 2 - np.log(std) - 0.5 * math.log(2 * math.pi)).sum(-1)


def log_likelihood(config: BCConfig, weights: dict[str, Array], features: Array, action: Array) -> Array:
    """Of actions under a Gaussian, or a mixture: Mandlekar et al. 2021, appendix D."""
    if config.chosen_head == "gaussian":
        std = np.clip(softplus(linear(weights, "head.scale", features)), 0.01, 7.5)
        return log_normal(action, np.tanh(linear(weights, "head.mean", features)), std)
    shape = (*features.shape[:-1], config.gmm_modes, 2)
    mean = np.tanh(linear(weights, "head.mean", features)).reshape(shape)
    std = softplus(linear(weights, "head.scale", features)).reshape(shape) + 1e-4
    logits = linear(weights, "head.logits", features)
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return np.log((shares * np.exp(log_normal(action[..., None, :], mean, std))).sum(-1))


def masked_mean(values: Array, batch: dict[str, Any]) -> float:
    real = ~batch["action_is_pad"].numpy()
    return float(values[real].mean())


def numbers(batch: dict[str, Any], key: str) -> Array:
    found: Array = batch[key].double().numpy()
    return found


@pytest.mark.parametrize("head", ["gaussian", "gmm"])
def test_likelihoods(head: str) -> None:
    config = tiny.mlp(head=head)
    policy, batch = tiny.make(config), tiny.batch_for(config)
    weights = weights_of(policy)
    features = features_of(weights, vectors_of(config, batch))
    expected = masked_mean(-log_likelihood(config, weights, features, numbers(batch, "action")), batch)
    assert policy.forward(batch)[0].item() == pytest.approx(expected, abs=CLOSE)


@pytest.mark.parametrize(("loss", "power"), [("l1", 1), ("l2", 2)])
def test_errors_of_one_action(loss: str, power: int) -> None:
    config = tiny.mlp(loss=loss)
    policy, batch = tiny.make(config), tiny.batch_for(config)
    weights = weights_of(policy)
    predicted = np.tanh(linear(weights, "head.action", features_of(weights, vectors_of(config, batch))))
    expected = masked_mean((np.abs(predicted - numbers(batch, "action")) ** power).mean(-1), batch)
    assert policy.forward(batch)[0].item() == pytest.approx(expected, abs=CLOSE)


@pytest.mark.parametrize("objective", ["rwr", "awr"])
def test_weights_of_returns(objective: str) -> None:
    """`-mean w log p`, `w = min(exp(A / beta), w_max)`: A the return, or how far it is above the state's value."""
    config = tiny.mlp(objective=objective, head="gmm", temperature=0.5, max_weight=2.5)
    policy, batch = tiny.make(config), tiny.batch_for(config)
    weights, vectors, returns = weights_of(policy), vectors_of(config, batch), numbers(batch, "return_to_go")
    value, half_square = np.zeros_like(returns), 0.0
    if objective == "awr":
        value = numpy_mlp(weights, "objective.value", vectors)[..., 0]
        half_square = 0.5 * masked_mean((value - returns) ** 2, batch)
    counted = np.minimum(np.exp((returns - value) / 0.5), 2.5)
    assert (counted == 2.5).any()
    likelihood = log_likelihood(config, weights, features_of(weights, vectors), numbers(batch, "action"))
    loss, parts = policy.forward(batch)
    assert loss.item() == pytest.approx(masked_mean(-counted * likelihood, batch) + half_square, abs=CLOSE)
    assert float(parts["weight"]) == pytest.approx(masked_mean(counted, batch), abs=CLOSE)


def test_the_value_learns_from_returns_alone() -> None:
    """Weights are constants to the value: its gradient is that of half its squared error."""
    config = tiny.mlp(objective="awr")
    policy, batch = tiny.make(config), tiny.batch_for(config)
    policy.forward(batch)[0].backward()
    found = [parameter.grad.clone() for parameter in policy.objective.value.parameters()]
    policy.zero_grad()
    value = policy.objective.value(torch.from_numpy(vectors_of(config, batch)).float()).squeeze(-1)
    real = ~batch["action_is_pad"]
    (0.5 * (value - batch["return_to_go"]).square()[real].mean()).backward()
    wanted = [parameter.grad for parameter in policy.objective.value.parameters()]
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(found, wanted, strict=True))


def decoded(weights: dict[str, Array], features: Array, latent: Array) -> Array:
    return np.tanh(numpy_mlp(weights, "head.decoder", np.concatenate((features, latent), -1)))


def moved(weights: dict[str, Array], name: str, features: Array, action: Array) -> Array:
    change = np.tanh(numpy_mlp(weights, f"objective.{name}.change", np.concatenate((features, action), -1)))
    return np.clip(action + 0.05 * change, -1, 1)


def judged(weights: dict[str, Array], name: str, vectors: Array, action: Array) -> Array:
    both = np.concatenate((vectors, action), -1)
    return np.stack([numpy_mlp(weights, f"objective.{name}.judges.{k}", both)[..., 0] for k in range(2)])


def many(values: Array, count: int) -> Array:
    return np.broadcast_to(values[..., None, :], (*values.shape[:-1], count, values.shape[-1]))


def test_batch_constrained_q_learning() -> None:
    """Fujimoto et al. 2018, algorithm 1: the VAE's loss, the target of the critics, and the perturbation's loss."""
    config = tiny.mlp(objective="bcq")
    policy, batch = tiny.make(config), tiny.batch_for(config)
    weights, both = weights_of(policy), vectors_of(config, batch)
    # The slow copies were made before the weights were changed, and are others.
    fast, slow = (weights[f"objective.{name}.judges.0.0.weight"] for name in ("critics", "slow_critics"))
    assert not np.array_equal(fast, slow)
    now, after, action = both[:, :1], both[:, 1:], numbers(batch, "action")
    torch.manual_seed(4)
    drawn = [torch.randn(8, 1, 4), torch.randn(8, 1, 4, 4), torch.randn(8, 1, 4)]
    noise, following_noise, present_noise = (each.double().numpy() for each in drawn)

    features = features_of(weights, now)
    mean, log_std = np.split(numpy_mlp(weights, "head.encoder", np.concatenate((features, action), -1)), 2, axis=-1)
    std = np.exp(log_std)
    squares = ((decoded(weights, features, mean + std * noise) - action) ** 2).mean(-1)
    divergence = -0.5 * (1 + np.log(std**2) - mean**2 - std**2).mean(-1)
    copied = masked_mean(squares + 0.5 * divergence, batch)

    following = many(features_of(weights, after), 4)
    proposed = decoded(weights, following, np.clip(following_noise, -0.5, 0.5))
    values = judged(weights, "slow_critics", many(after, 4), moved(weights, "slow_perturbation", following, proposed))
    best = (0.75 * values.min(0) + 0.25 * values.max(0)).max(-1)
    ended = batch["observation.state_is_pad"].numpy()[:, 1:]
    assert ended[1, 0]
    target = numbers(batch, "next.reward") + 0.99 * (1 - ended) * best
    critic = sum(masked_mean(each, batch) for each in (judged(weights, "critics", now, action) - target) ** 2)

    present = decoded(weights, features, np.clip(present_noise, -0.5, 0.5))
    worth = judged(weights, "critics", now, moved(weights, "perturbation", features, present))[0]
    torch.manual_seed(4)
    loss, parts = policy.forward(batch)
    assert float(parts["sampler_loss"]) == pytest.approx(copied, abs=CLOSE)
    assert float(parts["critic_loss"]) == pytest.approx(critic, abs=CLOSE)
    assert float(parts["perturbation_loss"]) == pytest.approx(-masked_mean(worth, batch), abs=CLOSE)
    assert loss.item() == pytest.approx(copied + critic - masked_mean(worth, batch), abs=3 * CLOSE)


def test_each_part_of_bcq_learns_for_itself() -> None:
    """The perturbation moves no critic and the critics no sampler."""
    policy = tiny.make(tiny.mlp(objective="bcq"))
    batch = tiny.batch_for(policy.config)
    torch.manual_seed(4)
    policy.forward(batch)[0].backward()
    together = {name: each.grad.clone() for name, each in policy.named_parameters() if each.requires_grad}
    policy.zero_grad()
    policy.objective.perturbation = None
    torch.manual_seed(4)
    policy.forward(batch)[0].backward()
    for name, each in policy.named_parameters():
        if each.requires_grad:
            assert torch.equal(each.grad, together[name]), name


def test_bcq_does_the_best_of_what_it_draws() -> None:
    policy = tiny.make(tiny.mlp(objective="bcq"))
    config, batch = policy.config, tiny.batch_for(policy.config)
    weights, now = weights_of(policy), vectors_of(config, batch)[:, 0]
    torch.manual_seed(5)
    noise = torch.randn(8, 8, 4).double().numpy()
    features = many(features_of(weights, now), 8)
    actions = moved(weights, "perturbation", features, decoded(weights, features, np.clip(noise, -0.5, 0.5)))
    best = judged(weights, "critics", many(now, 8), actions)[0].argmax(-1)
    torch.manual_seed(5)
    found = policy.select_action(tiny.newest(config, batch)).numpy()
    assert np.abs(found - actions[np.arange(8), best]).max() < CLOSE


def test_slow_copies_follow() -> None:
    policy = tiny.make(tiny.mlp(objective="bcq"))
    before = weights_of(policy)
    policy.update()
    after = weights_of(policy)
    for name, value in after.items():
        wanted = before[name]
        if "slow_" in name:
            wanted = 0.995 * wanted + 0.005 * before[name.replace("slow_", "")]
        assert np.abs(value - wanted).max() < 1e-6, name


@pytest.mark.parametrize("objective", ["rwr", "awr", "bcq"])
def test_of_two_actions_the_rewarded_one_is_preferred(objective: str) -> None:
    """Half of the demonstrations do 0.5 and are rewarded, half -0.5: who copies all alike does 0."""
    head = {"bcq": {}}.get(objective, {"head": "gaussian", "temperature": 0.5})
    acted = {}
    for each, settings in ((objective, head), ("bc", {})):
        config = tiny.mlp(objective=each, **settings)
        torch.manual_seed(0)
        policy = config.build()
        batch = {key: value[:1].expand(64, *value.shape[1:]).clone() for key, value in tiny.batch_for(config).items()}
        good = torch.arange(64) % 2 == 0
        batch["action"] = torch.where(good[:, None, None], 0.5, -0.5).expand(64, 1, 2)
        batch["next.reward"] = good.float()[:, None]
        batch["return_to_go"] = torch.where(good, 1.0, -1.0)[:, None]
        batch["action_is_pad"][:] = False
        batch["observation.state_is_pad"][:] = True
        optimizer = torch.optim.Adam(policy.parameter_groups(), lr=3e-3)
        for _ in range(300):
            loss, _ = policy.forward(batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            policy.update()
        policy.eval()
        torch.manual_seed(1)
        acted[each] = float(policy.select_action(tiny.newest(config, batch)).mean())
    assert abs(acted["bc"]) < 0.1
    assert acted[objective] > 0.3


def test_a_mixture_acts_with_the_mean_of_a_mode_by_its_weight() -> None:
    config = tiny.mlp(head="gmm")
    policy = tiny.make(config)
    weights, batch = weights_of(policy), tiny.batch_for(config)
    features = features_of(weights, vectors_of(config, batch))[:1, 0]
    means = np.tanh(linear(weights, "head.mean", features)).reshape(3, 2)
    logits = linear(weights, "head.logits", features)[0]
    shares = np.exp(logits) / np.exp(logits).sum()
    torch.manual_seed(0)
    rows = torch.from_numpy(features).float().expand(4000, -1)
    with torch.no_grad():
        acted = policy.head.act(rows).double().numpy()
    nearest = np.linalg.norm(acted[:, None] - means, axis=-1)
    assert nearest.min(1).max() < 1e-6
    found = np.bincount(nearest.argmin(1), minlength=3) / 4000
    assert np.abs(found - shares).max() < 0.03

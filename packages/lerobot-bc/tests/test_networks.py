"""What networks remember: the same step by step as in a window, nothing of the future, and nothing of before."""

from typing import Any

import pytest
import tiny_bc as tiny
import torch

from lerobot.bc.config import BCConfig


def stepped(policy: Any, observations: dict[str, torch.Tensor], count: int) -> torch.Tensor:
    policy.reset()
    acted = [
        policy.select_action({key: value[:, step] for key, value in observations.items()}) for step in range(count)
    ]
    return torch.stack(acted, dim=1)


def unrolled(policy: Any, observations: dict[str, torch.Tensor]) -> torch.Tensor:
    policy.eval()
    with torch.no_grad():
        actions: torch.Tensor = policy.head.act(policy.network(policy.encoder(observations)))
    return actions


def seen(config: BCConfig, steps: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return {key: torch.rand(5, steps, *each.shape, generator=generator) for key, each in config.input_features.items()}


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_an_rnn_steps_as_it_learned_and_begins_anew(cell: str) -> None:
    """Ten steps with sequences of four: each sequence is as if nothing was before it."""
    policy = tiny.make(tiny.rnn(cell=cell))
    observations = seen(policy.config, 10)
    found = stepped(policy, observations, 10)
    for start in (0, 4, 8):
        part = {key: value[:, start : start + 4] for key, value in observations.items()}
        assert torch.allclose(found[:, start : start + 4], unrolled(policy, part), atol=1e-6)
    whole = unrolled(policy, observations)
    assert not torch.allclose(found[:, 4:], whole[:, 4:], atol=1e-3)


def test_a_transformer_looks_back_on_its_window() -> None:
    """Before there are four observations, the first one stands for those before, as in a dataset's windows."""
    policy = tiny.make(tiny.transformer())
    observations = seen(policy.config, 7)
    found = stepped(policy, observations, 7)
    for step in range(7):
        places = [max(0, place) for place in range(step - 3, step + 1)]
        window = {key: value[:, places] for key, value in observations.items()}
        assert torch.allclose(found[:, step], unrolled(policy, window)[:, -1], atol=1e-6)


@pytest.mark.parametrize("make", [tiny.rnn, tiny.transformer])
def test_the_future_changes_nothing(make: Any) -> None:
    policy = tiny.make(make())
    observations = seen(policy.config, 4)
    changed = {key: torch.cat((value[:, :3], 1 - value[:, 3:]), dim=1) for key, value in observations.items()}
    before, after = unrolled(policy, observations), unrolled(policy, changed)
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3], after[:, 3], atol=1e-4)


def test_what_lies_beyond_the_end_is_learned_from_by_nobody() -> None:
    """Of a sequence whose episode ends, observations and actions behind the end change neither loss nor gradients."""
    policy = tiny.make(tiny.rnn())
    batch = tiny.batch_for(policy.config)
    batch["action_is_pad"][3, 2:] = True
    found = []
    for beyond in (0.0, 7.0):
        spoiled = {key: value.clone() for key, value in batch.items()}
        spoiled["action"][3, 2:] = float("nan") if beyond else 0.0
        spoiled[tiny.STATE][3, 2:] += beyond
        policy.zero_grad()
        loss, _ = policy.forward(spoiled)
        loss.backward()
        found.append([loss.detach(), *(parameter.grad.clone() for parameter in policy.parameters())])
    assert all(torch.equal(first, second) for first, second in zip(*found, strict=True))


def test_only_the_last_step_is_learned_unless_all_are() -> None:
    """A Transformer predicts the action of the newest observation; with all steps those before it too."""
    losses = {}
    for supervised in (False, True):
        policy = tiny.make(tiny.transformer(supervise_all_steps=supervised))
        batch = tiny.batch_for(policy.config)
        batch["action_is_pad"][:] = False
        actions = unrolled(policy, {key: batch[key] for key in policy.config.input_features})
        wanted = actions if supervised else actions[:, -1:]
        losses[supervised] = policy.forward(batch)[0]
        assert torch.allclose(losses[supervised], (wanted - batch["action"]).square().mean(), atol=1e-6)


def test_a_dataset_gives_the_windows_that_are_learned_from() -> None:
    assert tiny.mlp().observation_delta_indices is None
    assert list(tiny.mlp(objective="bcq").observation_delta_indices or ()) == [0, 1]
    assert list(tiny.rnn().observation_delta_indices or ()) == [0, 1, 2, 3]
    assert list(tiny.rnn().action_delta_indices) == [0, 1, 2, 3]
    assert list(tiny.rnn(objective="bcq").observation_delta_indices or ()) == [0, 1, 2, 3, 4]
    assert list(tiny.transformer().observation_delta_indices or ()) == [-3, -2, -1, 0]
    assert list(tiny.transformer().action_delta_indices) == [0]
    assert list(tiny.transformer(supervise_all_steps=True).action_delta_indices) == [-3, -2, -1, 0]
    assert list(tiny.transformer(objective="bcq").observation_delta_indices or ()) == [-3, -2, -1, 0, 1]

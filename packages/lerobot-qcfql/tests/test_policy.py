"""The contract of policies, and what is particular to QC-FQL."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.export.program import require_exportable
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.testing import TrainablePolicyContract, statistics
from lerobot.qcfql.config import QCFQLConfig
from lerobot.qcfql.policy import QCFQLPolicy

Make = Callable[..., QCFQLPolicy]
Batch = Callable[..., dict[str, Any]]


def first(batch: dict[str, Any]) -> dict[str, Any]:
    return {key: value[:, 0] for key, value in batch.items() if key.startswith("observation") and "_is_pad" not in key}


class Contract(TrainablePolicyContract):
    """What both ways to act have in common; chunks of 16 numbers, because torch draws fewer in another way."""

    capabilities = frozenset({"gradients", "padding"})

    @pytest.fixture
    def batch(self, config: QCFQLConfig, make_batch: Batch) -> dict[str, Any]:
        return make_batch(config)

    def observation(self, batch: dict[str, Any]) -> dict[str, Any]:
        return first(batch)


class TestContractInOneStep(Contract):
    @pytest.fixture
    def config(self, tiny: dict[str, Any], seeing: dict[str, Any]) -> QCFQLConfig:
        return QCFQLConfig(**{**tiny, **seeing, "chunk_size": 8})


class TestContractBestOfN(Contract):
    @pytest.fixture
    def config(self, tiny: dict[str, Any]) -> QCFQLConfig:
        return QCFQLConfig(**{**tiny, "actor": "best_of_n", "chunk_size": 8})


del Contract, TrainablePolicyContract


# --- acting ----------------------------------------------------------------------------------------------------------


def test_a_chunk_is_executed_as_one(make: Make, make_batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = make()
    observation, predicted = first(make_batch(policy.config)), []
    predict = policy.predict_action_chunk

    def watched(batch: Any) -> Any:
        predicted.append(predict(batch))
        return predicted[-1]

    monkeypatch.setattr(policy, "predict_action_chunk", watched)
    for tick in range(7):
        assert torch.equal(policy.select_action(observation), predicted[tick // 3][:, tick % 3])
    assert len(predicted) == 3
    assert torch.cat(predicted).abs().max() <= 1.0
    assert not torch.equal(predicted[0], predicted[1])


def test_it_is_not_exported(make: Make) -> None:
    """A chunk is drawn at random."""
    with pytest.raises(LeRobotError, match="policy 'qcfql' cannot be exported"):
        require_exportable(make())


# --- learning --------------------------------------------------------------------------------------------------------


def test_the_slow_critics_follow_and_learn_nothing_themselves(make: Make, make_batch: Batch) -> None:
    policy = make(tau=0.1)
    before = {name: value.clone() for name, value in policy.target_critic.state_dict().items()}
    policy.update()
    for name, value in policy.target_critic.state_dict().items():
        assert torch.allclose(value, 0.9 * before[name] + 0.1 * policy.model.critic.state_dict()[name], atol=1e-6), name
    assert {id(each) for each in policy.parameter_groups()} == {id(each) for each in policy.model.parameters()}
    policy.train().forward(make_batch(policy.config))[0].backward()
    assert all(parameter.grad is None for parameter in policy.target_critic.parameters())


def test_the_end_of_the_time_is_not_the_end(make: Make, make_batch: Batch) -> None:
    """What `next.truncated` says counts; without it `next.success`; without that every `next.done` is an end."""
    policy = make()
    batch = make_batch(policy.config)
    batch["next.done"] = batch["next.success"].clone()
    batch["next.done"][1:4, -1] = True
    assert policy._chunks(batch).solved.nonzero().tolist() == [[0, 2]]
    batch["next.truncated"] = torch.zeros(8, 3, dtype=torch.bool)
    batch["next.truncated"][3, -1] = True
    # The second row's last action lies beyond the episode.
    assert policy._chunks(batch).solved.nonzero().tolist() == [[0, 2], [2, 2]]
    batch |= {"next.truncated": False}
    del batch["next.success"]
    assert policy._chunks(batch).solved.nonzero().tolist() == [[0, 2], [2, 2], [3, 2]]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("action", torch.zeros(8, 2, 2)),
        ("observation.state", torch.zeros(8, 3)),
        ("observation.state_is_pad", None),
        ("action_is_pad", None),
        ("next.reward", 0.0),
        ("next.success", None),
    ],
)
def test_a_batch_without_windows_is_refused(key: str, value: Any, make: Make, make_batch: Batch) -> None:
    policy = make()
    batch = make_batch(policy.config)
    batch.pop(key)
    if value is not None:
        batch[key] = value
    with pytest.raises(FeatureMismatchError, match=r"the batch has .*'(next.done|" + key + ")'"):
        policy.forward(batch)


def test_pictures_are_seen(make: Make, make_batch: Batch, seeing: dict[str, Any]) -> None:
    policy = make(**seeing)
    batch = make_batch(policy.config)
    torch.manual_seed(0)
    before = policy.forward(batch)[0]
    torch.manual_seed(0)
    batch["observation.image"][:, 0] *= 0.5
    assert policy.forward(batch)[0] != before


# --- checkpoints -----------------------------------------------------------------------------------------------------


def test_a_trained_policy_comes_back_from_its_folder(make: Make, make_batch: Batch, tmp_path: Path) -> None:
    policy = make()
    PolicyWithProcessors(policy, make_processors(policy.config, statistics(policy.config))).save_pretrained(tmp_path)
    again = PolicyWithProcessors.from_pretrained(tmp_path).policy
    assert isinstance(again, QCFQLPolicy)
    assert not any(parameter.requires_grad for parameter in again.target_critic.parameters())
    torch.manual_seed(1)
    expected = policy.forward(make_batch(policy.config))[0]
    torch.manual_seed(1)
    assert torch.equal(again.forward(make_batch(policy.config))[0], expected)
    assert json.loads((tmp_path / "config.json").read_text())["type"] == "qcfql"

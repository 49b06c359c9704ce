"""The contract of policies, and what is particular to ACT."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from lerobot.act.config import ACTConfig
from lerobot.act.policy import ACTPolicy
from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.testing import TrainablePolicyContract

TINY: dict[str, Any] = {
    "input_features": {
        "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(6,)),
        "observation.images.top": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 32, 48)),
    },
    "output_features": {"action": PolicyFeature(type=FeatureType.ACTION, shape=(4,))},
    "device": "cpu",
    "chunk_size": 5,
    "n_action_steps": 3,
    "pretrained_backbone_weights": None,
    "dim_model": 32,
    "n_heads": 4,
    "dim_feedforward": 64,
    "n_encoder_layers": 2,
    "n_vae_encoder_layers": 2,
    "latent_dim": 8,
}


def tiny_batch(rows: int = 8, seed: int = 0) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)
    padding = torch.zeros(rows, 5, dtype=torch.bool)
    padding[0, 2:] = True
    return {
        "observation.state": torch.randn(rows, 6, generator=generator),
        "observation.images.top": torch.rand(rows, 3, 32, 48, generator=generator),
        "action": torch.randn(rows, 5, 4, generator=generator),
        "action_is_pad": padding,
    }


class TestContract(TrainablePolicyContract):
    capabilities = frozenset({"export", "gradients", "padding"})

    @pytest.fixture
    def config(self) -> ACTConfig:
        return ACTConfig(**TINY)

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        return tiny_batch()


class TestContractWithEnsembling(TestContract):
    @pytest.fixture
    def config(self) -> ACTConfig:
        return ACTConfig(**{**TINY, "n_action_steps": 1, "temporal_ensemble_coeff": 0.01})


# --- what is particular to ACT ---------------------------------------------------------------------------------------


def make(**changes: Any) -> ACTPolicy:
    torch.manual_seed(0)
    return ACTPolicy(ACTConfig(**{**TINY, **changes}))


def test_the_default_network_has_the_published_parameters() -> None:
    """Count and entries of huggingface/lerobot's ACT with one camera and 14 joints."""
    config = ACTConfig(
        input_features={
            "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(14,)),
            "observation.images.top": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 480, 640)),
        },
        output_features={"action": PolicyFeature(type=FeatureType.ACTION, shape=(14,))},
        pretrained_backbone_weights=None,
    )
    with torch.device("meta"):
        policy = ACTPolicy(config)
    assert len(policy.state_dict()) == 234
    assert sum(parameter.numel() for parameter in policy.parameters()) == 51_613_582


def test_the_loss_is_the_mean_over_real_steps_and_the_divergence() -> None:
    policy, batch = make(dropout=0.0), tiny_batch()
    policy.train()
    torch.manual_seed(3)
    loss, parts = policy.forward(batch)
    torch.manual_seed(3)
    chunk, latent = policy.model(batch)
    assert latent is not None
    real = ~batch["action_is_pad"]
    expected = (chunk - batch["action"]).abs()[real].mean()
    normal = torch.distributions.Normal(0.0, 1.0)
    posterior = torch.distributions.Normal(latent.mean, torch.exp(latent.log_variance / 2))
    divergence = torch.distributions.kl_divergence(posterior, normal).sum(-1).mean()
    assert parts["l1_loss"] == pytest.approx(expected.item(), abs=1e-5)
    assert parts["kld_loss"] == pytest.approx(divergence.item(), abs=1e-5)
    assert loss.item() == pytest.approx((expected + 10 * divergence).item(), abs=1e-4)


@pytest.mark.parametrize(("training", "names"), [(True, {"l1_loss", "kld_loss"}), (False, {"l1_loss"})])
def test_padding_may_hold_anything_even_what_is_not_a_number(training: bool, names: set[str]) -> None:
    policy, batch = make(), tiny_batch()
    policy.train(training)
    batch["action"][batch["action_is_pad"]] = float("nan")
    loss, parts = policy.forward(batch)
    loss.backward()
    assert torch.isfinite(loss)
    assert set(parts) == names
    assert all(torch.isfinite(each.grad).all() for each in policy.parameters() if each.grad is not None)


def test_a_batch_of_padding_alone_has_no_loss() -> None:
    batch = {**tiny_batch(), "action_is_pad": torch.ones(8, 5, dtype=torch.bool)}
    assert make().eval().forward(batch)[0].item() == 0.0


@pytest.mark.parametrize(("key", "value"), [("action", torch.zeros(8, 4)), ("action_is_pad", None)])
def test_a_batch_without_chunks_is_refused(key: str, value: Any) -> None:
    batch = tiny_batch()
    batch.pop(key)
    if value is not None:
        batch[key] = value
    with pytest.raises(FeatureMismatchError, match=f"the batch has .*'{key}'"):
        make().forward(batch)


def test_it_learns_to_repeat_one_demonstration() -> None:
    inputs = {
        "observation.state": TINY["input_features"]["observation.state"],
        "observation.environment_state": PolicyFeature(type=FeatureType.ENV, shape=(2,)),
    }
    policy = make(input_features=inputs, dropout=0.0)
    batch = {**tiny_batch(rows=2), "observation.environment_state": torch.tensor([[0.0, 1.0], [1.0, 0.0]])}
    optimizer = torch.optim.AdamW(policy.parameter_groups(), lr=1e-3)
    policy.train()
    for _ in range(150):
        loss, _ = policy.forward(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    real = ~batch["action_is_pad"]
    error = (policy.predict_action_chunk(batch) - batch["action"]).abs()[real].mean()
    assert error < 0.2 * batch["action"][real].abs().mean()


def test_the_backbone_has_its_own_learning_rate() -> None:
    others, backbone = make(optimizer_lr_backbone=3e-6).parameter_groups()
    assert backbone["lr"] == 3e-6
    assert "lr" not in others
    # 20 convolutions; frozen normalisation has nothing to learn.
    assert len(backbone["params"]) == 20
    policy = make()
    assert len(others["params"]) + 20 == len(list(policy.parameters()))


def test_without_pictures_all_parameters_are_one_group() -> None:
    inputs = {
        "observation.state": TINY["input_features"]["observation.state"],
        "observation.environment_state": PolicyFeature(type=FeatureType.ENV, shape=(2,)),
    }
    assert len(make(input_features=inputs).parameter_groups()) == 1


def test_ensembling_predicts_at_every_tick_and_averages() -> None:
    policy = make(n_action_steps=1, temporal_ensemble_coeff=0.0)
    policy.eval()
    first, second = tiny_batch(seed=1), tiny_batch(seed=2)
    chunks = [policy.predict_action_chunk(batch) for batch in (first, second)]
    policy.reset()
    assert torch.allclose(policy.select_action(first), chunks[0][:, 0])
    assert torch.allclose(policy.select_action(second), (chunks[0][:, 1] + chunks[1][:, 0]) / 2, atol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {"input_features": {"observation.state": PolicyFeature(type=FeatureType.STATE, shape=(6,))}},
        {"output_features": {"action.arm": PolicyFeature(type=FeatureType.ACTION, shape=(6,))}},
        {"input_features": {}},
    ],
)
def test_features_act_cannot_work_with_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(FeatureMismatchError):
        make(**changes)


def test_a_trained_policy_comes_back_from_its_folder(tmp_path: Path) -> None:
    policy = make(acceleration="off")
    stats = {
        key: {"mean": torch.zeros(size), "std": torch.ones(size)}
        for key, size in (("observation.state", 6), ("observation.images.top", 3), ("action", 4))
    }
    PolicyWithProcessors(policy, make_processors(policy.config, stats)).save_pretrained(tmp_path)
    again = PolicyWithProcessors.from_pretrained(tmp_path)
    batch = tiny_batch()
    assert torch.equal(again.policy.predict_action_chunk(batch), policy.predict_action_chunk(batch))
    assert json.loads((tmp_path / "config.json").read_text())["type"] == "act"


def test_weights_of_another_backbone_are_found_without_loading_them(tmp_path: Path) -> None:
    ACTPolicy(ACTConfig(**TINY)).save_pretrained(tmp_path)
    config = ACTConfig(**TINY, pretrained_path=str(tmp_path))
    ACTPolicy.check_pretrained(config)
    with pytest.raises(CheckpointError, match=r"lacks model\.backbone\.layer1\.2"):
        ACTPolicy.check_pretrained(config.model_copy(update={"vision_backbone": "resnet34"}))

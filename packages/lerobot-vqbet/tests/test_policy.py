"""The contract of policies, and what is particular to VQ-BeT."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lerobot.core.errors import FeatureMismatchError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.testing import TrainablePolicyContract
from lerobot.vqbet.config import VQBeTConfig
from lerobot.vqbet.policy import VQBeTPolicy

STATE = PolicyFeature(type=FeatureType.STATE, shape=(3,))
PICTURE = PolicyFeature(type=FeatureType.VISUAL, shape=(3, 70, 80))

TINY: dict[str, Any] = {
    "input_features": {"observation.image": PICTURE, "observation.state": STATE},
    "output_features": {"action": PolicyFeature(type=FeatureType.ACTION, shape=(2,))},
    "device": "cpu",
    "n_obs_steps": 2,
    "n_action_pred_token": 2,
    "action_chunk_size": 3,
    "crop_shape": (64, 65),
    "pretrained_backbone_weights": None,
    "spatial_softmax_num_keypoints": 4,
    "n_vqvae_training_steps": 3,
    "vqvae_n_embed": 4,
    "vqvae_embedding_dim": 8,
    "vqvae_enc_hidden_dim": 8,
    "gpt_block_size": 12,
    "gpt_input_dim": 16,
    "gpt_output_dim": 16,
    "gpt_n_layer": 1,
    "gpt_n_head": 2,
    "gpt_hidden_dim": 16,
    # Almost always the likeliest code, so that a row's actions do not depend on how many rows are drawn.
    "bet_softmax_temperature": 1e-6,
}


def tiny_batch(rows: int = 8, seed: int = 0) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)
    return {
        "observation.state": torch.randn(rows, 2, 3, generator=generator),
        "observation.image": torch.rand(rows, 2, 3, 70, 80, generator=generator),
        "action": torch.randn(rows, 5, 2, generator=generator),
    }


def make(*, phase: int = 2, **changes: Any) -> VQBeTPolicy:
    torch.manual_seed(0)
    policy = VQBeTPolicy(VQBeTConfig(**{**TINY, **changes}))
    if phase == 2:
        policy.train()
        while not policy.vqbet.action_head.vqvae_model.learned:
            policy.forward(tiny_batch())
    return policy.eval()


def newest(batch: dict[str, Any]) -> dict[str, Any]:
    return {key: value[:, -1] for key, value in batch.items() if key.startswith("observation")}


class TestContract(TrainablePolicyContract):
    """In its second phase, in which it acts."""

    capabilities = frozenset({"export", "gradients"})
    # Its actions are up to 5,700 here, where neighbouring float32 numbers lie 4.9e-4 apart: two of those.
    tolerance = 1e-3

    @pytest.fixture
    def config(self) -> VQBeTConfig:
        return VQBeTConfig(**TINY)

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        return tiny_batch()

    def make(self, config: Any) -> VQBeTPolicy:
        policy = make(**config.model_dump())
        policy.reset()
        return policy

    def observation(self, batch: dict[str, Any]) -> dict[str, Any]:
        return newest(batch)


class TestContractInTurn(TestContract):
    @pytest.fixture
    def config(self) -> VQBeTConfig:
        return VQBeTConfig(**{**TINY, "sequentially_select": True})


# --- what is particular to VQ-BeT ------------------------------------------------------------------------------------


def test_the_network_for_pusht_has_the_published_parameters() -> None:
    """Count and entries of huggingface/lerobot's network with the default settings and PushT's features."""
    config = VQBeTConfig(
        input_features={
            "observation.image": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 96, 96)),
            "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(2,)),
        },
        output_features={"action": PolicyFeature(type=FeatureType.ACTION, shape=(2,))},
        use_group_norm=True,
        pretrained_backbone_weights=None,
    )
    policy = VQBeTPolicy(config)
    assert len(policy.state_dict()) == 207
    assert sum(parameter.numel() for parameter in policy.parameters()) == 37_515_530


def test_first_codes_are_learned_and_then_behaviour() -> None:
    policy, batch = make(phase=1).train(), tiny_batch()
    codes = policy.vqbet.action_head.vqvae_model
    names = []
    for _ in range(5):
        policy.zero_grad()
        loss, parts = policy.forward(batch)
        loss.backward()
        names.append("recon_l1_error" in parts)
        learning = {name.split(".")[1] for name, each in policy.named_parameters() if each.grad is not None}
        assert ("policy" in learning) is not names[-1]
        assert (next(codes.encoder.parameters()).grad is not None) is names[-1]
    assert names == [True, True, True, False, False]
    assert bool(codes.vq_layer.freeze_codebook)
    assert set(parts) == {
        "classification_loss",
        "offset_loss",
        "equal_primary_code_rate",
        "equal_secondary_code_rate",
        "vq_action_error",
        "offset_action_error",
        "action_error_max",
        "action_mse_error",
    }


def test_validation_is_no_step_of_learning() -> None:
    policy = make(phase=1).eval()
    before = {name: value.clone() for name, value in policy.state_dict().items()}
    for _ in range(5):
        policy.forward(tiny_batch())
    assert all(torch.equal(before[name], value) for name, value in policy.state_dict().items())


def test_a_run_that_goes_on_counts_on() -> None:
    policy = make(phase=1).train()
    policy.resume(2)
    policy.forward(tiny_batch())
    assert policy.vqbet.action_head.vqvae_model.learned


def test_learned_codes_stay_as_they_are_when_loaded() -> None:
    policy = make(phase=1).train()
    policy.load_state_dict(make().state_dict())
    codes = policy.vqbet.action_head.vqvae_model
    before = {name: value.clone() for name, value in codes.state_dict().items()}
    policy.forward(tiny_batch())[0].backward()
    assert all(torch.equal(before[name], value) for name, value in codes.state_dict().items())
    assert not any(parameter.requires_grad for parameter in codes.parameters())
    # They keep their place among the optimizer's parameters, which saved states know by number.
    assert len(policy.parameter_groups()[1]["params"]) == 12


def test_chunks_begin_at_every_step() -> None:
    actions = torch.arange(5.0)[None, :, None]
    chunks = make(phase=1).vqbet.chunks(actions)
    assert chunks[0, :, :, 0].tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]


def test_the_loss_is_that_of_the_paper() -> None:
    """Equations 5 to 7 of arXiv:2403.03181 with focal losses of arXiv:1708.02002, in numpy."""
    policy, batch = make().train(), tiny_batch()
    torch.manual_seed(3)
    loss, parts = policy.forward(batch)
    torch.manual_seed(3)
    found = policy.vqbet.predict(policy.described(batch))
    chunks = policy.vqbet.chunks(batch["action"]).flatten(0, 1)
    codes = policy.vqbet.action_head.vqvae_model.encode(chunks).numpy()
    likely = torch.softmax(found.logits.detach().double(), dim=-1).numpy()
    expected = 10000 * np.abs((found.chunks - chunks).detach().numpy()).mean()
    for layer, weight in ((0, 5.0), (1, 0.5)):
        chosen = likely[np.arange(len(codes)), layer, codes[:, layer]]
        expected += weight * (-((1 - chosen) ** 2) * np.log(chosen)).mean()
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert parts["equal_primary_code_rate"].item() == pytest.approx((found.codes.numpy() == codes)[:, 0].mean())


def test_the_chunk_of_the_newest_observation_is_executed() -> None:
    policy, batch = make(), tiny_batch()
    torch.manual_seed(3)
    drawn = policy.vqbet.predict(policy.described(batch)).chunks.view(8, 3, 3, 2)
    torch.manual_seed(3)
    assert torch.equal(policy.predict_action_chunk(batch), drawn[:, 1])


def test_the_optimizer_gets_every_parameter_once() -> None:
    for in_turn in (False, True):
        policy = make(phase=1, sequentially_select=in_turn)
        groups = policy.parameter_groups()
        given = [id(parameter) for group in groups for parameter in group["params"]]
        assert sorted(given) == sorted(id(parameter) for parameter in policy.parameters())
        assert [group.get("weight_decay") for group in groups] == [None, 1e-4, 0.0]
        assert groups[1]["lr"] == 1e-3
        # Biases and norms do not decay, nor do positions.
        assert {each.ndim for each in groups[2]["params"]} == {1, 2}
        positions = policy.vqbet.policy.get_parameter("transformer.wpe.weight")
        assert any(each is positions for each in groups[2]["params"])


def test_acting_before_codes_are_learned_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    policy = make(phase=1)
    with caplog.at_level(logging.WARNING):
        for _ in range(8):
            policy.select_action(newest(tiny_batch()))
    assert [record.message for record in caplog.records] == [
        "vqbet acts before it has learned its codes: its actions mean nothing yet"
    ]


@pytest.mark.parametrize(
    ("key", "value"), [("action", torch.zeros(8, 4, 2)), ("observation.state", torch.zeros(8, 3)), ("action", None)]
)
def test_a_batch_without_windows_is_refused(key: str, value: Any) -> None:
    batch = tiny_batch()
    batch.pop(key)
    if value is not None:
        batch[key] = value
    with pytest.raises(FeatureMismatchError, match=f"the batch has .*'{key}'"):
        make().forward(batch)


@pytest.mark.parametrize(
    "changes",
    [
        {"input_features": {"observation.state": STATE}},
        {"input_features": {"observation.image": PICTURE}},
        {"input_features": {**TINY["input_features"], "observation.images.side": PICTURE}},
        {
            "input_features": {
                **TINY["input_features"],
                "observation.environment_state": PolicyFeature(type=FeatureType.ENV, shape=(2,)),
            }
        },
        {"output_features": {"action.arm": PolicyFeature(type=FeatureType.ACTION, shape=(6,))}},
        {"crop_shape": (71, 70)},
    ],
)
def test_features_it_cannot_work_with_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(FeatureMismatchError):
        make(phase=1, **changes)


STATS = {
    key: {"min": torch.full((size,), -2.0), "max": torch.ones(size)}
    for key, size in (("observation.state", 3), ("action", 2))
}


def test_a_trained_policy_comes_back_from_its_folder(tmp_path: Path) -> None:
    policy = make()
    PolicyWithProcessors(policy, make_processors(policy.config, STATS)).save_pretrained(tmp_path)
    again = PolicyWithProcessors.from_pretrained(tmp_path)
    batch = tiny_batch()
    torch.manual_seed(1)
    expected = policy.predict_action_chunk(batch)
    torch.manual_seed(1)
    assert torch.equal(again.policy.predict_action_chunk(batch), expected)
    assert json.loads((tmp_path / "config.json").read_text())["type"] == "vqbet"


def test_checkpoints_from_before_processors_had_files_load(tmp_path: Path) -> None:
    """Statistics among the weights, under the names of huggingface/lerobot up to 0.3."""
    policy = make()
    now, old = tmp_path / "now", tmp_path / "old"
    PolicyWithProcessors(policy, make_processors(policy.config, STATS)).save_pretrained(now)
    old.mkdir()
    (old / "config.json").write_bytes((now / "config.json").read_bytes())
    weights = load_file(now / "model.safetensors")
    for module, key in (
        ("normalize_inputs", "observation.state"),
        ("normalize_targets", "action"),
        ("unnormalize_outputs", "action"),
    ):
        for name, value in STATS[key].items():
            weights[f"{module}.buffer_{key.replace('.', '_')}.{name}"] = value.clone()
    save_file(weights, old / "model.safetensors")
    actions = []
    for folder in (now, old):
        pair = PolicyWithProcessors.from_pretrained(folder)
        torch.manual_seed(1)
        processed = pair.processors.preprocessor(newest(tiny_batch()))
        actions.append(pair.processors.postprocessor(pair.policy.select_action(processed)))
    assert torch.equal(*actions)

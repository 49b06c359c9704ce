"""The contract of policies, and what is particular to SmolVLA."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from tiny_smolvlm import tiny_settings

from lerobot.core.errors import LeRobotError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.export.files import export
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.rtc.continuation import ContinuesChunks
from lerobot.policies.testing import statistics
from lerobot.policies.vla.testing import VLAContract
from lerobot.smolvla.config import SmolVLAConfig
from lerobot.smolvla.policy import SmolVLAPolicy

STATS = {
    "observation.state": {"mean": torch.zeros(5), "std": torch.ones(5)},
    "action": {"mean": torch.zeros(4), "std": torch.ones(4)},
}


def tiny_batch(rows: int = 8) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    padding = torch.zeros(rows, 6, dtype=torch.bool)
    padding[0, 3:] = True
    mask = torch.ones(rows, 7, dtype=torch.bool)
    mask[1, 4:] = False
    return {
        "observation.images.front": torch.rand(rows, 1, 3, 32, 40, generator=generator),
        "observation.images.wrist": torch.rand(rows, 1, 3, 48, 33, generator=generator),
        "observation.state": torch.randn(rows, 1, 5, generator=generator),
        "observation.language.tokens": torch.randint(5, 290, (rows, 7), generator=generator),
        "observation.language.attention_mask": mask,
        "action": torch.randn(rows, 6, 4, generator=generator),
        "action_is_pad": padding,
    }


class TestContract(VLAContract):
    capabilities = frozenset({"export", "gradients", "padding"})

    @pytest.fixture
    def config(self, vlm: Path) -> SmolVLAConfig:
        return SmolVLAConfig(**tiny_settings(vlm))

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        return tiny_batch()


class TestContractOfEverythingLearned(TestContract):
    @pytest.fixture
    def config(self, vlm: Path) -> SmolVLAConfig:
        everything = {"train_expert_only": False, "freeze_vision_encoder": False, "attention_mode": "self_attn"}
        return SmolVLAConfig(**tiny_settings(vlm, **everything, add_image_special_tokens=True))


# --- what is particular to SmolVLA -----------------------------------------------------------------------------------


def make(vlm: Path, **changes: Any) -> SmolVLAPolicy:
    torch.manual_seed(0)
    return SmolVLAPolicy(SmolVLAConfig(**tiny_settings(vlm, **changes)))


@pytest.fixture
def saved(vlm: Path, tmp_path: Path) -> Path:
    policy = make(vlm)
    PolicyWithProcessors(policy, make_processors(policy.config, STATS)).save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


@pytest.mark.parametrize(
    ("changes", "frozen"),
    [
        ({}, r"vlm_with_expert\.vlm\..*"),
        ({"train_state_proj": False}, r"(vlm_with_expert\.vlm|state_proj)\..*"),
        (
            {"train_expert_only": False},
            r"vlm_with_expert\.vlm\.(lm_head|model\.(vision_model|text_model\.(norm|layers\.3)))\..*",
        ),
        (
            {
                "train_expert_only": False,
                "freeze_vision_encoder": False,
                "num_expert_layers": 2,
                "attention_mode": "self_attn",
            },
            r"vlm_with_expert\.vlm\.(lm_head|model\.text_model\.(norm|layers\.[23]))\..*",
        ),
    ],
)
def test_what_is_frozen_and_what_learns(vlm: Path, changes: dict[str, Any], frozen: str) -> None:
    for name, parameter in make(vlm, **changes).named_parameters():
        assert parameter.requires_grad is not bool(re.fullmatch(rf"model\.{frozen}", name)), name


def test_adapters_go_into_queries_and_values_of_the_expert(vlm: Path) -> None:
    policy = make(vlm)
    found = [name for name, _ in policy.named_modules() if re.fullmatch(policy.adapter_targets(), name)]
    assert len(found) == 2 * 4 + 5
    assert all("lm_expert" in name or name.count(".") == 1 for name in found)


def test_it_can_continue_chunks(vlm: Path) -> None:
    assert isinstance(make(vlm), ContinuesChunks)


@pytest.mark.slow
def test_it_is_exported_for_a_task(vlm: Path, tmp_path: Path) -> None:
    """The loop from noise to actions is in the file; noise is an input, and the task is not."""
    policy = make(vlm)
    trained = PolicyWithProcessors(policy, make_processors(policy.config, statistics(policy.config)))
    with pytest.raises(LeRobotError, match="reads its task") as caught:
        export(trained, tmp_path, formats=["onnx"])
    assert caught.value.expected == "a task to export it for"
    differences = export(trained, tmp_path, formats=["onnx", "pt2", "torchscript"], task="pick up the cube")
    assert len(differences) == 3
    described = json.loads((tmp_path / "policy.json").read_text())
    assert described["task"] == "pick up the cube"
    assert described["inputs"][-1] == {
        "name": "noise", "dtype": "float32", "shape": ["batch", 6, 8], "noise": "normal",
    }  # fmt: skip


def test_the_loss_is_the_mean_over_real_steps_and_joints(vlm: Path) -> None:
    policy, batch = make(vlm), tiny_batch()
    noise, time = torch.randn(8, 6, 8), torch.rand(8)
    loss, _ = policy.forward(batch, noise=noise, time=time)
    action = torch.nn.functional.pad(batch["action"], (0, 4))
    noisy = time[:, None, None] * noise + (1 - time[:, None, None]) * action
    found = policy.model(policy._prefix(batch), noisy, time)
    expected = (noise - action - found)[..., :4].pow(2)[~batch["action_is_pad"]].mean()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
    batch["action"][batch["action_is_pad"]] = float("nan")
    assert torch.isfinite(policy.forward(batch)[0])


def test_words_images_and_state_matter_and_padding_does_not(vlm: Path) -> None:
    policy, noise = make(vlm), torch.randn(8, 6, 8)
    for parameter in policy.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    chunk = policy.predict_action_chunk(tiny_batch(), noise=noise)
    for key in ("observation.language.tokens", "observation.images.wrist", "observation.state"):
        batch = tiny_batch()
        batch[key] = batch[key].flip(0)
        assert (policy.predict_action_chunk(batch, noise=noise) - chunk).abs().max() > 1e-5, key
    batch = tiny_batch()
    batch["observation.language.tokens"][1, 4:] = 9
    assert torch.equal(policy.predict_action_chunk(batch, noise=noise), chunk)


def test_published_weights_of_the_vision_language_model_are_cut_to_the_layers_in_use(vlm: Path, tmp_path: Path) -> None:
    shutil.copytree(vlm, tmp_path / "published")
    config = transformers.AutoConfig.from_pretrained(vlm)
    reference = transformers.SmolVLMForConditionalGeneration(config)
    reference.save_pretrained(tmp_path / "published")
    policy = make(tmp_path / "published", load_vlm_weights=True, num_vlm_layers=2)
    weights = reference.state_dict()
    found = policy.model.vlm_with_expert.vlm.state_dict()
    assert set(weights) - set(found) == {name for name in weights if re.search(r"text_model\.layers\.[23]", name)}
    assert all(torch.equal(tensor, weights[name].bfloat16()) for name, tensor in found.items())


def test_weights_of_compiled_policies_have_their_names(saved: Path) -> None:
    weights = load_file(saved / "model.safetensors")
    save_file(
        {name.replace("model.", "model._orig_mod.", 1): each for name, each in weights.items()},
        saved / "model.safetensors",
    )
    loaded = SmolVLAPolicy.from_pretrained(saved)
    assert all(torch.equal(each, weights[name]) for name, each in loaded.state_dict().items())


def test_old_checkpoints_keep_their_statistics_among_the_weights(saved: Path) -> None:
    trained = PolicyWithProcessors.from_pretrained(saved)
    for path in saved.glob("policy_*"):
        path.unlink()
    weights = load_file(saved / "model.safetensors")
    for part, key, width in (("normalize_inputs", "observation_state", 5), ("unnormalize_outputs", "action", 4)):
        weights[f"{part}.buffer_{key}.mean"] = torch.zeros(width)
        weights[f"{part}.buffer_{key}.std"] = torch.ones(width)
    save_file(weights, saved / "model.safetensors")
    old = PolicyWithProcessors.from_pretrained(saved)
    observation = {
        **{key: each for key, each in tiny_batch().items() if key.startswith("observation.i")},
        "task": ["go"] * 8,
    }
    observation["observation.state"] = torch.randn(8, 5)
    noise = torch.randn(8, 6, 8)
    chunks = [
        each.policy.predict_action_chunk(each.processors.preprocessor(observation), noise=noise)
        for each in (trained, old)
    ]
    assert torch.equal(*chunks)
    assert json.loads((saved / "config.json").read_text())["type"] == "smolvla"

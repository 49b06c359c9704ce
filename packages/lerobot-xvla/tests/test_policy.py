"""The contract of policies, and what is particular to X-VLA."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_xvla import tiny_florence, tiny_settings
from torch import Tensor

from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.files import WEIGHTS
from lerobot.policies.export.program import require_exportable
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.rtc.continuation import ContinuesChunks
from lerobot.policies.testing import statistics
from lerobot.policies.vla.testing import VLAContract
from lerobot.xvla.config import XVLAAdamWConfig, XVLAConfig
from lerobot.xvla.policy import XVLAPolicy


def tiny_batch(rows: int = 8) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    return {
        "observation.images.front": torch.rand(rows, 3, 32, 40, generator=generator),
        "observation.images.wrist": torch.rand(rows, 3, 48, 33, generator=generator),
        "observation.state": torch.randn(rows, 5, generator=generator),
        "observation.language.tokens": torch.randint(4, 280, (rows, 7), generator=generator),
        "observation.language.attention_mask": torch.ones(rows, 7, dtype=torch.bool),
        "action": torch.randn(rows, 6, 4, generator=generator),
    }


class TestContract(VLAContract):
    capabilities = frozenset({"gradients"})

    @pytest.fixture
    def config(self, tokenizer: Path) -> XVLAConfig:
        norm = {"VISUAL": "IDENTITY", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"}
        return XVLAConfig(**tiny_settings(tokenizer, normalization_mapping=norm))

    @pytest.fixture
    def batch(self) -> dict[str, Any]:
        return tiny_batch()


# --- what is particular to X-VLA -------------------------------------------------------------------------------------


def make(tokenizer: Path, **changes: Any) -> XVLAPolicy:
    """A policy in which nothing is zero at first."""
    torch.manual_seed(0)
    policy = XVLAPolicy(XVLAConfig(**tiny_settings(tokenizer, **changes)))
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)
    return policy.eval()


@pytest.mark.parametrize(
    ("changes", "frozen"),
    [
        ({}, r"nothing"),
        ({"freeze_vision_encoder": True}, r"vlm\.vision_tower\..*"),
        ({"freeze_language_encoder": True}, r"vlm\.language_model\..*"),
        ({"train_policy_transformer": False}, r"transformer\.(?!soft_prompt_hub).*"),
        ({"train_soft_prompts": False}, r"transformer\.soft_prompt_hub\..*"),
    ],
)
def test_what_is_frozen_and_what_learns(tokenizer: Path, changes: dict[str, Any], frozen: str) -> None:
    for name, parameter in make(tokenizer, **changes).named_parameters():
        assert parameter.requires_grad is not bool(re.fullmatch(rf"model\.{frozen}", name)), name


def test_adapters_go_into_the_network_that_finds_actions(tokenizer: Path) -> None:
    policy = make(tokenizer)
    found = [name for name, _ in policy.named_modules() if re.fullmatch(policy.adapter_targets(), name)]
    assert len(found) == 2 * 4


def test_it_cannot_continue_chunks_nor_be_exported(tokenizer: Path) -> None:
    policy = make(tokenizer)
    assert not isinstance(policy, ContinuesChunks)
    with pytest.raises(LeRobotError, match="cannot be exported"):
        require_exportable(policy)


def test_parts_learn_at_rates_of_their_own(tokenizer: Path) -> None:
    policy = make(tokenizer, freeze_vision_encoder=True)
    config = XVLAAdamWConfig(lr=1e-3, weight_decay=0.1, soft_prompt_lr_scale=0.5)
    groups = {group["name"]: group for group in config.build(policy=policy).param_groups}
    rates = {name: (group["lr"], group["weight_decay"]) for name, group in groups.items()}
    assert rates == {"vlm": (1e-4, pytest.approx(0.01)), "soft_prompts": (5e-4, 0.1), "other": (1e-3, 0.1)}
    learned = {id(each) for each in policy.parameters() if each.requires_grad}
    assert {id(each) for group in groups.values() for each in group["params"]} == learned
    names = {id(each): name for name, each in policy.named_parameters()}
    assert [names[id(each)] for each in groups["soft_prompts"]["params"]] == [
        "model.transformer.soft_prompt_hub.weight"
    ]
    # The projection of what it says is among them, as in huggingface/lerobot.
    assert {re.split(r"[._]", names[id(each)])[1] for each in groups["vlm"]["params"]} == {"vlm", "transformer"}
    assert not any("vlm" in names[id(each)] for each in groups["other"]["params"])
    warm = XVLAAdamWConfig(lr=1e-3, soft_prompt_warmup_lr_scale=0.01).build(policy=policy)
    assert warm.param_groups[1]["lr"] == pytest.approx(1e-5)


def test_every_input_matters_and_the_rest_does_not(tokenizer: Path) -> None:
    policy, noise = make(tokenizer), torch.randn(8, 6, 8)
    chunk = policy.predict_action_chunk(tiny_batch(), noise=noise)
    for key in (key for key in tiny_batch() if key.startswith("observation.") and "mask" not in key):
        batch = tiny_batch()
        batch[key] = batch[key].flip(0)
        assert (policy.predict_action_chunk(batch, noise=noise) - chunk).abs().max() > 1e-5, key
    # A task is read with what fills it, as in huggingface/lerobot.
    batch = tiny_batch()
    batch["observation.language.attention_mask"][:] = False
    assert torch.equal(policy.predict_action_chunk(batch, noise=noise), chunk)
    without = make(tokenizer, use_proprio=False)
    batch["observation.state"] = batch["observation.state"].flip(0)
    assert torch.equal(
        without.predict_action_chunk(batch, noise=noise), without.predict_action_chunk(tiny_batch(), noise=noise)
    )


def test_domains_have_prompts_and_projections_of_their_own(tokenizer: Path) -> None:
    policy, noise = make(tokenizer, use_hetero_proj=True), torch.randn(8, 6, 8)

    def chunk(policy: XVLAPolicy, **more: Any) -> Tensor:
        return policy.predict_action_chunk({**tiny_batch(), **more}, noise=noise)

    each = [chunk(policy, domain_id=torch.tensor(domain)) for domain in range(3)]
    assert torch.equal(chunk(policy), each[0])
    mixed = chunk(policy, domain_id=torch.arange(8) % 3)
    assert torch.allclose(mixed, torch.stack([each[row % 3][row] for row in range(8)]), atol=1e-5)
    assert (each[0] - each[1]).abs().max() > 1e-3
    keyed = make(tokenizer, use_hetero_proj=True, domain_feature_key="observation.domain")
    assert torch.equal(chunk(keyed, **{"observation.domain": torch.full((8, 1), 2.0)}), each[2])
    for wrong in (3, -1):
        with pytest.raises(FeatureMismatchError, match=f"the domain is {wrong}"):
            chunk(policy, domain_id=torch.tensor(wrong))


def test_images_of_different_sizes_need_one(tokenizer: Path) -> None:
    with pytest.raises(FeatureMismatchError, match=r"observation\.images\.wrist \(48, 33\)"):
        make(tokenizer, resize_imgs_with_padding=None).predict_action_chunk(tiny_batch())


def test_too_many_tokens_are_refused(tokenizer: Path) -> None:
    with pytest.raises(FeatureMismatchError, match="and policy 'xvla' takes 40"):
        make(tokenizer, max_len_seq=40).predict_action_chunk(tiny_batch())
    with pytest.raises(LeRobotError, match="knows 3 along a side"):
        make(tokenizer, florence_config=tiny_florence(max_position_embeddings=3)).predict_action_chunk(tiny_batch())


def test_recomputing_gradients_changes_none(tokenizer: Path) -> None:
    gradients = []
    for recomputes in (False, True):
        policy = make(tokenizer, gradient_checkpointing=recomputes).train()
        torch.manual_seed(1)
        policy.forward(tiny_batch())[0].backward()
        gradients.append({name: each.grad for name, each in policy.named_parameters() if each.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    assert all(torch.allclose(each, gradients[1][name], atol=1e-6) for name, each in gradients[0].items())


# --- checkpoints -----------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(tokenizer: Path, tmp_path: Path) -> Path:
    policy = make(tokenizer)
    processors = make_processors(policy.config, statistics(policy.config))
    PolicyWithProcessors(policy, processors).save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


WHERE = {"spatial": "window_attn", "channel": "channel_attn"}
EARLIER: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"(vision_tower\.convs\.\d)\.conv\.", r"\1.proj."),
    (r"(block\.conv[12])\.", r"\1.fn.dw."),
    (r"(spatial|channel)_block\.norm1\.", lambda found: f"{found[1]}_block.{WHERE[found[1]]}.norm."),
    (r"(window|channel)_attn\.(qkv|proj)\.", r"\1_attn.fn.\2."),
    (r"norm2\.", r"ffn.norm."),
    (r"ffn\.(fc[12])\.", r"ffn.fn.net.\1."),
    (r"multi_modal_projector\.(image_proj_norm|visual_temporal_embed)\.", r"\1."),
    (r"multi_modal_projector\.image_position_embed\.", r"image_pos_embed."),
    (r"vlm\.language_model\.", r"vlm.language_model.model."),
)


def earlier(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights under the names of releases that carried Florence-2 with them."""
    named = {}
    for name, tensor in weights.items():
        old = name
        if name.startswith("model.vlm."):
            for present, before in EARLIER:
                old, changes = re.subn(present, before, old, count=1)
                if changes:
                    break
        named[old] = tensor
    projection = named.pop("model.vlm.multi_modal_projector.image_projection.weight")
    named["model.vlm.image_projection"] = projection.t().contiguous()
    named["model.vlm.language_model.final_logits_bias"] = torch.zeros(1, 3)
    return named


def test_checkpoints_of_earlier_releases_are_read(saved: Path) -> None:
    weights = load_file(saved / WEIGHTS)
    old = earlier(weights)
    same = {name for name in weights if name.startswith("model.vlm.") and name in old}
    assert all(re.fullmatch(r"model\.vlm\.vision_tower\.convs\.\d\.norm\.(weight|bias)", name) for name in same)
    assert "model.vlm.vision_tower.blocks.1.0.channel_block.channel_attn.fn.qkv.weight" in old
    save_file(old, saved / WEIGHTS)
    loaded = XVLAPolicy.from_pretrained(saved).state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in weights.items())


@pytest.mark.parametrize("kept", ["shared", "encoder.embed_tokens"])
def test_either_name_of_the_table_of_tokens_is_enough(saved: Path, kept: str) -> None:
    weights = load_file(saved / WEIGHTS)
    here = next(name for name in weights if name.endswith(("shared.weight", "embed_tokens.weight")))
    table = weights.pop(here)
    save_file({**weights, f"model.vlm.language_model.{kept}.weight": table}, saved / WEIGHTS)
    policy = XVLAPolicy.from_pretrained(saved)
    language = policy.model.vlm.language_model
    assert torch.equal(language.shared.weight, table)
    assert language.encoder.embed_tokens.weight is language.shared.weight
    weights.pop("model.transformer.pos_emb")
    save_file(weights, saved / WEIGHTS)
    with pytest.raises(LeRobotError, match=r"lacks .*pos_emb.*embed_tokens"):
        XVLAPolicy.from_pretrained(saved)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_all_weights_have_the_type_of_the_settings(saved: Path, dtype: str) -> None:
    fields = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps({**fields, "dtype": dtype}))
    policy = XVLAPolicy.from_pretrained(saved)
    assert {str(each.dtype) for each in policy.state_dict().values()} == {f"torch.{dtype}"}
    assert policy.predict_action_chunk(tiny_batch()).dtype is getattr(torch, dtype)
    loss, _ = policy.forward(tiny_batch())
    assert torch.isfinite(loss)

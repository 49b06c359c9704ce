"""The networks: those of published checkpoints, name by name, and their parts against independent definitions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tiny_xvla import tiny_florence

from lerobot.policies.checkpoint.skeleton import without_weights
from lerobot.xvla.config import XVLAConfig
from lerobot.xvla.davit import Block
from lerobot.xvla.florence import Florence
from lerobot.xvla.modeling import XVLA
from lerobot.xvla.sizes import FlorenceSize, VisionSize
from lerobot.xvla.transformer import DomainLinear, time_waves

LARGE: dict[str, Any] = {
    "vision_config": {
        "model_type": "davit",
        "dim_embed": [256, 512, 1024, 2048],
        "depths": [1, 1, 9, 1],
        "num_heads": [8, 16, 32, 64],
        "num_groups": [8, 16, 32, 64],
        "patch_size": [7, 3, 3, 3],
        "patch_stride": [4, 2, 2, 2],
        "patch_padding": [3, 1, 1, 1],
        "patch_prenorm": [False, True, True, True],
        "window_size": 12,
        "projection_dim": 1024,
        "enable_checkpoint": False,
        "image_pos_embed": {"type": "learned_abs_2d", "max_pos_embeddings": 50},
        "visual_temporal_embedding": {"type": "COSINE", "max_temporal_embeddings": 100},
        "image_feature_source": ["spatial_avg_pool", "temporal_avg_pool"],
    },
    "text_config": {
        "model_type": "florence2_language",
        "vocab_size": 51289,
        "d_model": 1024,
        "encoder_layers": 12,
        "encoder_attention_heads": 16,
        "encoder_ffn_dim": 4096,
        "decoder_layers": 12,
        "max_position_embeddings": 4096,
    },
}
"""Florence-2-large, as it says itself."""

Described = Iterator[tuple[str, tuple[int, ...]]]


def pair(name: str, outputs: int, *inputs: int) -> Described:
    yield f"{name}.weight", (outputs, *inputs)
    yield f"{name}.bias", (outputs,)


def published_backbone() -> Described:
    """Names and shapes of Florence-2-large."""
    widths = (256, 512, 1024, 2048)
    tower, projector = "vlm.vision_tower.", "vlm.multi_modal_projector."
    for stage, (width, before, kernel, depth) in enumerate(
        zip(widths, (3, *widths), (7, 3, 3, 3), (1, 1, 9, 1), strict=False)
    ):
        yield from pair(f"{tower}convs.{stage}.conv", width, before, kernel, kernel)
        yield from pair(f"{tower}convs.{stage}.norm", before if stage else width)
        for layer in range(depth):
            for name, attention in (("spatial_block", "window_attn"), ("channel_block", "channel_attn")):
                block = f"{tower}blocks.{stage}.{layer}.{name}."
                for number in (1, 2):
                    yield from pair(f"{block}conv{number}", width, 1, 3, 3)
                    yield from pair(f"{block}norm{number}", width)
                yield from pair(f"{block}{attention}.qkv", 3 * width, width)
                yield from pair(f"{block}{attention}.proj", width, width)
                yield from pair(f"{block}ffn.fc1", 4 * width, width)
                yield from pair(f"{block}ffn.fc2", width, 4 * width)
    yield f"{projector}image_projection.weight", (1024, 2048)
    yield from pair(f"{projector}image_proj_norm", 1024)
    for name in ("row", "column"):
        yield f"{projector}image_position_embed.{name}_embeddings.weight", (50, 1024)
    yield f"{projector}visual_temporal_embed.pos_idx_to_embed", (100, 2048)
    for name in ("shared", "encoder.embed_tokens"):
        yield f"vlm.language_model.{name}.weight", (51289, 1024)
    encoder = "vlm.language_model.encoder."
    yield f"{encoder}embed_positions.weight", (4098, 1024)
    yield from pair(f"{encoder}layernorm_embedding", 1024)
    for layer in range(12):
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield from pair(f"{encoder}layers.{layer}.self_attn.{name}", 1024, 1024)
        for name in ("self_attn_layer_norm", "final_layer_norm"):
            yield from pair(f"{encoder}layers.{layer}.{name}", 1024)
        yield from pair(f"{encoder}layers.{layer}.fc1", 4096, 1024)
        yield from pair(f"{encoder}layers.{layer}.fc2", 1024, 4096)


def published() -> Described:
    """Names and shapes of X-VLA on it for two hands, as huggingface/lerobot writes them."""
    yield from published_backbone()
    yield "transformer.pos_emb", (1, 512, 1024)
    for layer in range(24):
        block = f"transformer.blocks.{layer}."
        for number in (1, 2):
            yield from pair(f"{block}norm{number}", 1024)
        yield from pair(f"{block}attn.qkv", 3072, 1024)
        yield from pair(f"{block}attn.proj", 1024, 1024)
        yield from pair(f"{block}mlp.fc1", 4096, 1024)
        yield from pair(f"{block}mlp.fc2", 1024, 4096)
    for name in ("vlm_proj", "aux_visual_proj"):
        yield from pair(f"transformer.{name}", 1024, 1024)
    yield from pair("transformer.norm", 1024)
    # An action has 20 numbers, a time 32, the state 32; there are 30 domains.
    for name, inputs, outputs in (("encoder", 84, 1024), ("decoder", 1024, 20)):
        yield f"transformer.action_{name}.fc.weight", (30, inputs * outputs)
        yield f"transformer.action_{name}.bias.weight", (30, outputs)
    yield "transformer.soft_prompt_hub.weight", (30, 32 * 1024)


def test_the_published_size_has_the_published_weights() -> None:
    with without_weights():
        network = XVLA(XVLAConfig(florence_config=LARGE))
    assert {name: tuple(each.shape) for name, each in network.state_dict().items()} == dict(published())
    assert len(network.state_dict()) == 903
    assert sum(each.numel() for each in network.parameters()) == 879_851_096


def test_projections_of_each_domain_are_optional() -> None:
    with without_weights():
        network = XVLA(XVLAConfig(florence_config=LARGE, use_hetero_proj=True, len_soft_prompts=0))
    shapes = {name: tuple(each.shape) for name, each in network.transformer.named_parameters()}
    assert shapes["vlm_proj.fc.weight"] == (30, 1024 * 1024)
    assert shapes["aux_visual_proj.bias.weight"] == (30, 1024)
    assert "soft_prompt_hub.weight" not in shapes


@pytest.mark.parametrize("size", [(32, 32), (24, 40)])
def test_the_backbone_is_that_of_transformers(size: tuple[int, int]) -> None:
    fields = tiny_florence()
    reference = transformers.Florence2Model(transformers.Florence2Config(**tiny_florence())).eval()
    del reference.language_model.decoder
    torch.manual_seed(0)
    for parameter in reference.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    ours = Florence(FlorenceSize.model_validate(fields)).eval()
    ours.load_state_dict(reference.state_dict())
    images, tokens = torch.randn(2, 3, *size), torch.randint(2, 290, (2, 5))
    seen = reference.get_image_features(images).pooler_output
    assert torch.allclose(ours.look(images), seen, atol=1e-4)
    joined = torch.cat([seen, reference.get_input_embeddings()(tokens)], dim=1)
    assert torch.allclose(ours.read(seen, tokens), reference.language_model.encoder(inputs_embeds=joined)[0], atol=1e-4)


def test_both_forms_of_its_description_are_the_same() -> None:
    native = tiny_florence()
    published = {key: dict(value) for key, value in native.items()}
    vision = published["vision_config"]
    vision["dim_embed"] = vision.pop("embed_dim")
    vision["image_pos_embed"] = {"type": "learned_abs_2d", "max_pos_embeddings": vision.pop("max_position_embeddings")}
    found, expected = (FlorenceSize.model_validate(each).vision_config for each in (published, native))
    assert found.embed_dim == expected.embed_dim
    assert found.positions == expected.positions == 20
    assert found.times == expected.times == 5


def test_a_domain_has_a_projection_of_its_own() -> None:
    layer = DomainLinear(3, 2, 4)
    torch.nn.init.normal_(layer.bias.weight)
    x, domain = torch.randn(2, 5, 3), torch.tensor([3, 1])
    for row, number in enumerate(domain.tolist()):
        matrix = layer.fc.weight[number].view(3, 2)
        assert torch.allclose(layer(x, domain)[row], x[row] @ matrix + layer.bias.weight[number], atol=1e-6)


def test_times_are_described_by_waves() -> None:
    waves = time_waves(torch.tensor([0.5]), 5)
    assert torch.allclose(waves, torch.tensor([[0.8776, 0.9988, 0.4794, 0.05, 0.0]]), atol=1e-4)


def test_blocks_leave_samples_out_while_they_learn() -> None:
    vision = tiny_florence()["vision_config"] | {"drop_path_rate": 0.0}
    block = Block(VisionSize.model_validate(vision), 0, "window_attn", 0.4)
    torch.manual_seed(0)
    kept = block._some(torch.ones(4000, 1, 1, 1))
    assert kept.unique().tolist() == pytest.approx([0.0, 1 / 0.6])
    assert kept.mean() == pytest.approx(1.0, abs=0.05)
    assert torch.equal(block.eval()._some(torch.ones(3, 1, 1, 1)), torch.ones(3, 1, 1, 1))


def test_the_names_of_a_small_one_are_those_of_the_facts(tokenizer: Path) -> None:
    """135 entries, as huggingface/lerobot has for this configuration."""
    from tiny_xvla import tiny_settings

    network = XVLA(XVLAConfig(**tiny_settings(tokenizer)))
    assert len(network.state_dict()) == 135

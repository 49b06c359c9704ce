"""The network: that of huggingface/lerobot, name by name, and its parts against independent definitions."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_clip import tiny_settings

from lerobot.multi_task_dit.config import MultiTaskDiTConfig
from lerobot.multi_task_dit.policy import MultiTaskDiTPolicy
from lerobot.multi_task_dit.transformer import DiffusionTransformer, RotaryAttention
from lerobot.policies.checkpoint.skeleton import without_weights
from lerobot.policies.networks.attention import frequencies, rotary

COND = 256 + 2 * (7 + 2 * 768 + 512)


def norm(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from ((f"{name}.weight", (width,)), (f"{name}.bias", (width,)))


def linear(name: str, rows: int, columns: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from ((f"{name}.weight", (rows, columns)), (f"{name}.bias", (rows,)))


def encoder(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    for layer in range(12):
        block = f"{name}.encoder.layers.{layer}"
        for each in ("k", "v", "q", "out"):
            yield from linear(f"{block}.self_attn.{each}_proj", width, width)
        yield from (*norm(f"{block}.layer_norm1", width), *norm(f"{block}.layer_norm2", width))
        yield from (*linear(f"{block}.mlp.fc1", 4 * width, width), *linear(f"{block}.mlp.fc2", width, 4 * width))


def published() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes with CLIP B/16, two cameras, seven joints and actions, as huggingface/lerobot writes them."""
    vision = "observation_encoder.vision_encoder.model.vision_model"
    yield f"{vision}.embeddings.class_embedding", (768,)
    yield f"{vision}.embeddings.patch_embedding.weight", (768, 3, 16, 16)
    yield f"{vision}.embeddings.position_embedding.weight", (197, 768)
    yield from (*norm(f"{vision}.pre_layrnorm", 768), *encoder(vision, 768), *norm(f"{vision}.post_layernorm", 768))
    text = "observation_encoder.text_encoder.text_encoder.text_model"
    yield f"{text}.embeddings.token_embedding.weight", (49408, 512)
    yield f"{text}.embeddings.position_embedding.weight", (77, 512)
    yield from (*encoder(text, 512), *norm(f"{text}.final_layer_norm", 512))
    yield from linear("observation_encoder.text_encoder.projection", 512, 512)
    yield from linear("noise_predictor.time_mlp.1", 512, 256)
    yield from linear("noise_predictor.time_mlp.3", 256, 512)
    yield from linear("noise_predictor.input_proj", 512, 7)
    for layer in range(6):
        block = f"noise_predictor.transformer_blocks.{layer}"
        yield from (*linear(f"{block}.attn.qkv_proj", 1536, 512), *linear(f"{block}.attn.out_proj", 512, 512))
        yield from (*linear(f"{block}.mlp.0", 2048, 512), *linear(f"{block}.mlp.2", 512, 2048))
        yield from linear(f"{block}.adaLN_modulation.1", 3072, COND)
    yield from linear("noise_predictor.output_proj", 7, 512)


def test_the_published_size_has_the_published_weights() -> None:
    camera = {"type": "VISUAL", "shape": (3, 240, 320)}
    joints: dict[str, Any] = {"type": "STATE", "shape": (7,)}
    inputs = {"observation.state": joints, "observation.images.a": camera, "observation.images.b": camera}
    outputs = {"action": {"type": "ACTION", "shape": (7,)}}
    with without_weights():
        policy = MultiTaskDiTConfig(input_features=inputs, output_features=outputs, device="cpu").build(
            from_scratch=False
        )
    assert isinstance(policy, MultiTaskDiTPolicy)
    found = {name: tuple(each.shape) for name, each in policy.state_dict().items()}
    assert found == dict(published())
    assert COND == 4366
    assert len(found) == 465
    assert sum(each.numel() for each in policy.parameters()) == 248_893_191
    frozen = {name for name, each in policy.named_parameters() if not each.requires_grad}
    assert frozen == {name for name in found if "text_model" in name or "post_layernorm" in name}


@pytest.mark.parametrize(
    "changes",
    [{}, {"use_rope": False}, {"use_positional_encoding": True}, {"use_separate_rgb_encoder_per_camera": True}],
)
def test_encoders_and_positions_are_there_where_they_are_asked_for(clip: Path, changes: dict[str, Any]) -> None:
    names = set(MultiTaskDiTConfig(**tiny_settings(clip, **changes)).build().state_dict())
    block = "noise_predictor.transformer_blocks.1."
    assert (f"{block}attn.qkv_proj.weight" in names) is changes.get("use_rope", True)
    assert (f"{block}multihead_attn.in_proj_weight" in names) is not changes.get("use_rope", True)
    assert ("noise_predictor.pos_embedding" in names) is changes.get("use_positional_encoding", False)
    separate = [f"observation_encoder.vision_encoders.{index}.model.vision_model.pre_layrnorm.bias" for index in (0, 1)]
    assert names.issuperset(separate) is changes.get("use_separate_rgb_encoder_per_camera", False)


def test_every_block_begins_as_the_identity(clip: Path) -> None:
    network = transformer(clip, randomised=False)
    noisy = torch.randn(2, 8, 4)
    expected = network.output_proj(network.input_proj(noisy))
    assert torch.equal(network(noisy, torch.tensor([3, 7]), torch.randn(2, 11)), expected)


def transformer(clip: Path, *, randomised: bool = True, **changes: Any) -> DiffusionTransformer:
    torch.manual_seed(0)
    network = DiffusionTransformer(MultiTaskDiTConfig(**tiny_settings(clip, **changes)), 4, 11).eval()
    for parameter in network.parameters() if randomised else []:
        torch.nn.init.normal_(parameter, std=0.3)
    return network


@pytest.mark.parametrize("time", [torch.tensor([3, 7]), torch.tensor([0.25, 0.5])], ids=["levels", "times"])
@pytest.mark.parametrize("rope", [True, False])
def test_what_acts_computes_what_is_learned(clip: Path, rope: bool, time: torch.Tensor) -> None:
    network = transformer(clip, use_rope=rope)
    noisy, observed = torch.randn(2, 8, 4), torch.randn(2, 11)
    found, expected = network.under(observed)(noisy, time), network(noisy, time, observed)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_rotary_attention_sees_how_far_apart_actions_are() -> None:
    """The score of two actions that look alike is a sum over planes of the cosine of their distance's angle."""
    torch.manual_seed(0)
    layer = RotaryAttention(4, 1, 0.0).eval()
    torch.nn.init.zeros_(layer.qkv_proj.weight)
    query, key = torch.randn(4), torch.randn(4)
    with torch.no_grad():
        layer.qkv_proj.bias.copy_(torch.cat([query, key, torch.zeros(4)]))
        layer.qkv_proj.weight[8:] = torch.eye(4)
        layer.out_proj.weight.copy_(torch.eye(4))
        layer.out_proj.bias.zero_()
    x = torch.randn(1, 5, 4)
    by = rotary(torch.arange(5)[None], frequencies(4, 100.0, x.device))
    scores = torch.zeros(5, 5)
    for row in range(5):
        for column in range(5):
            for plane, speed in enumerate((1.0, 0.1)):
                angle = (row - column) * speed
                q, k = (each[[plane, plane + 2]] for each in (query, key))
                turned = torch.stack(
                    [q[0] * math.cos(angle) - q[1] * math.sin(angle), q[1] * math.cos(angle) + q[0] * math.sin(angle)]
                )
                scores[row, column] += turned @ k / 2
    assert torch.allclose(layer(x, by), scores.softmax(dim=-1) @ x, atol=1e-5)

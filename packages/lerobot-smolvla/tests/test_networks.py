"""The networks: those of published checkpoints, name by name, and their parts against independent definitions."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import transformers
from tiny_smolvlm import tiny_settings

from lerobot.policies.checkpoint.skeleton import without_weights
from lerobot.policies.networks.streams import Tokens
from lerobot.smolvla import aloha
from lerobot.smolvla.backbone import SmolVLMForGeneration, patch_places
from lerobot.smolvla.config import SmolVLAConfig
from lerobot.smolvla.modeling import SmolVLA
from lerobot.smolvla.sizes import size_of

VLM = "vlm_with_expert.vlm."
BF16, FP32 = torch.bfloat16, torch.float32


def published() -> Iterator[tuple[str, tuple[int, ...], torch.dtype]]:
    """Names, shapes and types of SmolVLA with SmolVLM2-500M cut to 16 layers, as huggingface/lerobot writes them."""
    vision = f"{VLM}model.vision_model."
    yield f"{vision}embeddings.patch_embedding.weight", (768, 3, 16, 16), FP32
    yield f"{vision}embeddings.patch_embedding.bias", (768,), FP32
    yield f"{vision}embeddings.position_embedding.weight", (1024, 768), FP32
    for layer in range(12):
        block = f"{vision}encoder.layers.{layer}."
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield f"{block}self_attn.{name}.weight", (768, 768), FP32
            yield f"{block}self_attn.{name}.bias", (768,), FP32
        for name in ("layer_norm1", "layer_norm2"):
            yield f"{block}{name}.weight", (768,), FP32
            yield f"{block}{name}.bias", (768,), FP32
        for name, rows, columns in (("fc1", 3072, 768), ("fc2", 768, 3072)):
            yield f"{block}mlp.{name}.weight", (rows, columns), FP32
            yield f"{block}mlp.{name}.bias", (rows,), FP32
    for name in ("weight", "bias"):
        yield f"{vision}post_layernorm.{name}", (768,), FP32
    yield f"{VLM}model.connector.modality_projection.proj.weight", (960, 12288), FP32
    yield f"{VLM}model.text_model.embed_tokens.weight", (49280, 960), BF16
    yield f"{VLM}model.text_model.norm.weight", (960,), BF16
    yield f"{VLM}lm_head.weight", (49280, 960), FP32
    yield "vlm_with_expert.lm_expert.norm.weight", (720,), BF16
    for stream, width, hidden in ((f"{VLM}model.text_model", 960, 2560), ("vlm_with_expert.lm_expert", 720, 2048)):
        for layer in range(16):
            block = f"{stream}.layers.{layer}."
            across = width == 720 and layer % 2 == 1
            keys = (320, 320 if across else width), FP32 if across else BF16
            yield f"{block}self_attn.q_proj.weight", (960, width), BF16
            yield f"{block}self_attn.k_proj.weight", *keys
            yield f"{block}self_attn.v_proj.weight", *keys
            yield f"{block}self_attn.o_proj.weight", (width, 960), BF16
            yield f"{block}mlp.gate_proj.weight", (hidden, width), BF16
            yield f"{block}mlp.up_proj.weight", (hidden, width), BF16
            yield f"{block}mlp.down_proj.weight", (width, hidden), BF16
            yield f"{block}input_layernorm.weight", (width,), BF16
            yield f"{block}post_attention_layernorm.weight", (width,), BF16
    for name, rows, columns in (
        ("state_proj", 960, 32),
        ("action_in_proj", 720, 32),
        ("action_out_proj", 32, 720),
        ("action_time_mlp_in", 720, 1440),
        ("action_time_mlp_out", 720, 720),
    ):
        yield f"{name}.weight", (rows, columns), FP32
        yield f"{name}.bias", (rows,), FP32


def test_the_published_size_has_the_published_weights() -> None:
    with without_weights():
        network = SmolVLA(SmolVLAConfig())
    found = {name: (tuple(each.shape), each.dtype) for name, each in network.state_dict().items()}
    assert found == {name: (shape, dtype) for name, shape, dtype in published()}
    assert len(found) == 500
    assert sum(each.numel() for each in network.parameters()) == 450_046_176


def test_weights_of_the_published_model_are_of_few_bits() -> None:
    with without_weights():
        network = SmolVLA(SmolVLAConfig(load_vlm_weights=True))
    assert {each.dtype for each in network.vlm_with_expert.vlm.parameters()} == {BF16}
    assert network.state_proj.weight.dtype is FP32


def test_the_vision_language_model_is_that_of_transformers(vlm: Path) -> None:
    config = transformers.AutoConfig.from_pretrained(vlm)
    reference = transformers.SmolVLMForConditionalGeneration(config).eval()
    torch.manual_seed(0)
    for parameter in reference.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    ours = SmolVLMForGeneration(size_of(str(vlm)))
    ours.load_state_dict(reference.state_dict())
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    seen = reference.model.connector(reference.model.vision_model(images).last_hidden_state)
    assert torch.allclose(ours.model.see(images), seen * 32**0.5, atol=1e-4)
    tokens = torch.randint(300, (2, 5))
    assert torch.allclose(ours.model.read(tokens), reference.get_input_embeddings()(tokens) * 32**0.5)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((32, 32), list(range(16))),
        ((16, 32), [0, 1, 2, 3, 8, 9, 10, 11]),
        ((8, 64), [0, 0, 1, 1, 2, 2, 3, 3]),
    ],
)
def test_patches_of_other_images_take_the_nearest_places(size: tuple[int, int], expected: list[int]) -> None:
    assert patch_places(torch.Size(size), 8, 4).tolist() == expected


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"attention_mode": "self_attn"},
        {"self_attn_every_n_layers": 0, "num_expert_layers": 2},
        {"attention_mode": "self_attn", "num_expert_layers": 1},
        {"prefix_length": 40},
    ],
)
def test_what_is_kept_acts_like_what_is_learned_from(vlm: Path, changes: dict[str, object]) -> None:
    """In "self" layers the prefix does not see the suffix, so that reading it once is the same."""
    torch.manual_seed(0)
    network = SmolVLA(SmolVLAConfig(**tiny_settings(vlm, **changes)))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    present = torch.ones(2, 10, dtype=torch.bool)
    present[0, 3:5] = False
    begins = torch.zeros(10, dtype=torch.bool)
    begins[-1] = True
    prefix = Tokens(torch.randn(2, 10, 32), present, begins)
    actions, time = torch.randn(2, 6, 8), torch.tensor([0.3, 0.9])
    assert torch.allclose(
        network.velocity(network.keep(prefix), actions, time), network(prefix, actions, time), atol=1e-5
    )


def test_joints_of_an_aloha_there_and_back() -> None:
    actions = torch.randn(2, 3, 14)
    assert torch.allclose(aloha.decoded_actions(aloha.encoded_actions(actions)), actions, atol=1e-5)
    state = torch.rand(2, 14)
    found = aloha.decoded_state(state)
    assert torch.equal(found[:, 1], -state[:, 1])
    # A closed gripper: the horn's triangle has the sides 22, 36 and 18.44 mm.
    angle = math.asin((0.022**2 + 0.01844**2 - 0.036**2) / (2 * 0.022 * 0.01844))
    assert aloha.decoded_state(torch.zeros(1, 14))[0, 6].item() == pytest.approx((angle - 0.4) / 1.1, abs=1e-5)

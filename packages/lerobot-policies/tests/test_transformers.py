"""Decoders and the vision transformer against those of the transformers library, and what attention is made of."""

from typing import Any

import pytest
import torch
import transformers
from torch.nn import functional as F

from lerobot.policies.networks.attention import (
    KeyValueCache,
    attend,
    block_mask,
    frequencies,
    places,
    rotary,
)
from lerobot.policies.networks.decoder import GEMMA, LLAMA, QWEN3, Decoder, DecoderKind
from lerobot.policies.networks.padding import pad_last, pad_tokens, resize_with_pad
from lerobot.policies.networks.sizes import DecoderSize, VisionSize
from lerobot.policies.networks.vision_transformer import VisionTransformer

SIZE = DecoderSize(width=32, hidden=48, layers=3, heads=4, key_heads=2, head_width=8, vocabulary=50, norm_eps=1e-5)
THEIRS = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "rms_norm_eps": 1e-5,
    "pad_token_id": 0,
}


def randomised(module: torch.nn.Module) -> None:
    """Parameters that begin as zeros or ones would hide errors."""
    torch.manual_seed(1)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)


def read(decoder: Decoder, x: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    by = rotary(places(present), frequencies(8, 10_000.0, x.device))
    found: torch.Tensor = decoder(x, by, block_mask(present, torch.ones_like(present)))
    return found


@pytest.mark.parametrize(
    ("kind", "config", "model"),
    [
        (LLAMA, transformers.LlamaConfig, transformers.LlamaModel),
        (GEMMA, transformers.GemmaConfig, transformers.GemmaModel),
        (QWEN3, transformers.Qwen3Config, transformers.Qwen3Model),
    ],
)
def test_decoders_are_those_of_transformers(kind: DecoderKind, config: Any, model: Any) -> None:
    reference = model(config(**THEIRS, rope_parameters={"rope_type": "default", "rope_theta": 10_000.0})).eval()
    randomised(reference)
    decoder = Decoder(SIZE, kind)
    decoder.load_state_dict(reference.state_dict())
    tokens = torch.randint(50, (2, 7))
    present = torch.ones(2, 7, dtype=torch.bool)
    present[1, 5:] = False
    expected = reference(input_ids=tokens, attention_mask=present.long()).last_hidden_state
    x = decoder.embed_tokens(tokens) * (32**0.5 if kind is GEMMA else 1.0)
    assert torch.allclose(read(decoder, x, present)[present], expected[present], atol=2e-5)


def test_the_vision_transformer_is_siglip() -> None:
    reference = transformers.SiglipVisionModel(
        transformers.SiglipVisionConfig(
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=32,
            patch_size=8,
            vision_use_head=False,
        )
    ).eval()
    randomised(reference)
    ours = VisionTransformer(VisionSize(width=16, hidden=32, layers=2, heads=2, image=32, patch=8))
    ours.load_state_dict({key.removeprefix("vision_model."): each for key, each in reference.state_dict().items()})
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    assert torch.allclose(ours(images), reference(images).last_hidden_state, atol=1e-5)


def test_reading_in_parts_is_reading_at_once() -> None:
    decoder = Decoder(SIZE, LLAMA)
    randomised(decoder)
    x, present = torch.randn(2, 9, 32), torch.ones(2, 9, dtype=torch.bool)
    by, mask = rotary(places(present), frequencies(8, 10_000.0, x.device)), block_mask(present, present)
    expected = decoder(x, by, mask)
    cache, parts = KeyValueCache(), []
    for first, last in ((0, 4), (4, 5), (5, 9)):
        turn = by[0][:, :, first:last], by[1][:, :, first:last]
        parts.append(decoder(x[:, first:last], turn, mask[:, first:last, :last], cache))
    assert torch.allclose(torch.cat(parts, dim=1), expected, atol=1e-5)
    alone = decoder.read(x, by, mask)
    assert len(alone) == len(cache) == SIZE.layers
    for layer in range(SIZE.layers):
        assert all(torch.allclose(*pair, atol=1e-5) for pair in zip(alone[layer], cache[layer], strict=True))


def test_blocks_see_themselves_and_those_before_them() -> None:
    present = torch.tensor([[True, True, False, True, True]])
    begins = torch.tensor([False, False, False, True, True])
    seen = block_mask(present, begins)[0].int().tolist()
    assert seen == [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0], [1, 1, 0, 1, 0], [1, 1, 0, 1, 1]]
    assert places(present).tolist() == [[0, 1, 1, 2, 3]]


def test_attention_is_that_of_torch_and_blind_tokens_are_numbers() -> None:
    query, key, value = torch.randn(2, 6, 4, 8), torch.randn(2, 3, 5, 8), torch.randn(2, 3, 5, 8)
    mask = torch.rand(2, 4, 5) > 0.4
    mask[:, :, 0] = True
    expected = F.scaled_dot_product_attention(query, key, value, mask[:, None], enable_gqa=True)
    assert torch.allclose(attend(query, key, value, mask), expected.transpose(1, 2).flatten(2), atol=1e-6)
    mask[0, 1] = False
    assert torch.isfinite(attend(query, key, value, mask)).all()
    few = attend(query.bfloat16(), key.bfloat16(), value.bfloat16(), mask, exact=False)
    assert few.dtype is torch.bfloat16


def test_weights_of_few_bits_give_their_type_whatever_comes() -> None:
    decoder = Decoder(SIZE, GEMMA).to(torch.bfloat16)
    assert read(decoder, torch.randn(1, 3, 32), torch.ones(1, 3, dtype=torch.bool)).dtype is torch.bfloat16


@pytest.mark.parametrize(
    ("size", "wanted", "centred", "box"),
    [
        ((20, 40), (32, 32), True, (8, 24, 0, 32)),
        ((20, 40), (32, 32), False, (16, 32, 0, 32)),
        ((31, 16), (16, 16), True, (0, 16, 4, 12)),
        ((31, 16), (16, 16), False, (0, 16, 8, 16)),
        ((33, 10), (16, 16), True, (0, 16, 6, 10)),
    ],
)
def test_images_keep_their_shape_and_the_rest_is_black(
    size: tuple[int, int], wanted: tuple[int, int], centred: bool, box: tuple[int, int, int, int]
) -> None:
    images = torch.rand(2, 3, *size) + 1
    found = resize_with_pad(images, *wanted, centred=centred)
    top, bottom, left, right = box
    inner = F.interpolate(images, (bottom - top, right - left), mode="bilinear", align_corners=False)
    assert found.shape == (2, 3, *wanted)
    assert torch.equal(found[:, :, top:bottom, left:right], inner)
    assert found.sum() == pytest.approx(inner.sum().item(), rel=1e-5)
    assert resize_with_pad(images, *size, centred=centred) is images


def test_filling_up() -> None:
    assert pad_last(torch.ones(2, 3), 5).tolist() == [[1, 1, 1, 0, 0]] * 2
    assert pad_tokens(torch.ones(1, 2, dtype=torch.bool), 4).tolist() == [[True, True, False, False]]
    long = torch.ones(2, 3)
    assert pad_last(long, 2) is long
    assert pad_tokens(long, 3) is long

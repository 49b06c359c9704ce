"""The networks: those of published checkpoints, name by name, and their parts against independent definitions."""

import pytest
import torch
import transformers
from published_paligemma import BOTH, VLM, published_decoder, published_vision
from tiny_pi import VOCABULARY, tiny_networks

from lerobot.pi0.config import PI0Config
from lerobot.pi0.modeling import PI0
from lerobot.pi0.paligemma import PaliGemmaForGeneration
from lerobot.pi0.pi05_config import PI05Config
from lerobot.pi0.pi05_modeling import PI05, AdaptiveRMSNorm
from lerobot.policies.checkpoint.skeleton import without_weights
from lerobot.policies.networks.attention import block_mask, places

NETWORKS = {"pi0": (PI0, PI0Config), "pi05": (PI05, PI05Config)}


def published(kind: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the published sizes, as huggingface/lerobot writes them."""
    around = [("action_in_proj", 1024, 32), ("action_out_proj", 32, 1024)]
    if kind == "pi0":
        around += [("state_proj", 1024, 32), ("action_time_mlp_in", 1024, 2048), ("action_time_mlp_out", 1024, 1024)]
    else:
        around += [("time_mlp_in", 1024, 1024), ("time_mlp_out", 1024, 1024)]
    weights = {
        **dict(published_vision()),
        **dict(published_decoder(f"{VLM}model.language_model.", 2048, 16384, adaptive=False)),
        **dict(published_decoder(f"{BOTH}gemma_expert.model.", 1024, 4096, adaptive=kind == "pi05")),
        f"{VLM}model.language_model.embed_tokens.weight": (257152, 2048),
        f"{VLM}lm_head.weight": (257152, 2048),
        f"{BOTH}gemma_expert.lm_head.weight": (257152, 1024),
    }
    for name, rows, columns in around:
        weights |= {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}
    return weights


@pytest.mark.parametrize(("kind", "tensors", "numbers"), [("pi0", 778, 4_028_019_472), ("pi05", 813, 4_143_404_816)])
def test_the_published_size_has_the_published_weights(kind: str, tensors: int, numbers: int) -> None:
    network, config = NETWORKS[kind]
    with without_weights():
        found = network(config(dtype="bfloat16")).state_dict()
    assert {name: tuple(each.shape) for name, each in found.items()} == published(kind)
    assert len(found) == tensors
    assert sum(each.numel() for each in found.values()) == numbers
    exact = ("vision_tower", "multi_modal_projector", "layernorm", "model.norm", "language_model.norm")
    for name, each in found.items():
        few = name.startswith(BOTH) and not any(part in name for part in exact)
        assert each.dtype is (torch.bfloat16 if few else torch.float32), name


def test_with_float32_everything_is() -> None:
    for network, config in NETWORKS.values():
        with without_weights():
            assert {each.dtype for each in network(config()).parameters()} == {torch.float32}


def test_the_vision_language_model_is_that_of_transformers() -> None:
    size = PI0Config(**tiny_networks()).vlm
    text = {
        "model_type": "gemma",
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 8,
        "num_key_value_heads": 1,
        "head_dim": 8,
        "hidden_activation": "gelu_pytorch_tanh",
    }
    vision = {
        "model_type": "siglip_vision_model",
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
        "projection_dim": 32,
        "vision_use_head": False,
    }
    config = transformers.PaliGemmaConfig(text_config=text, vision_config=vision, projection_dim=32, hidden_size=32)
    reference = transformers.PaliGemmaModel(config).eval()
    torch.manual_seed(0)
    for parameter in reference.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    ours = PaliGemmaForGeneration(size).model
    # Some releases leave out one part of the published names.
    weights = {
        name
        if "vision_tower.vision_model" in name
        else name.replace("vision_tower.", "vision_tower.vision_model."): each
        for name, each in reference.state_dict().items()
    }
    ours.load_state_dict(weights)
    images, tokens = torch.rand(2, 3, 32, 32) * 2 - 1, torch.randint(VOCABULARY - 1, (2, 5))
    seen = reference.multi_modal_projector(reference.vision_tower(images).last_hidden_state)
    assert torch.allclose(ours.see(images), seen, atol=1e-4)
    present = torch.ones(2, 5, dtype=torch.bool)
    # PaliGemma lets every token of a prompt see all others.
    read = ours.language_model(ours.read(tokens), ours.turn(places(present)), block_mask(present, ~present))
    expected = reference.language_model(input_ids=tokens).last_hidden_state
    assert torch.allclose(read, expected, atol=1e-4)


def test_an_adaptive_normalisation_says_scale_shift_and_gate() -> None:
    norm = AdaptiveRMSNorm(4, 1e-6)
    torch.nn.init.normal_(norm.dense.weight)
    x, condition = torch.randn(2, 3, 4), torch.randn(2, 1, 4)
    found, gate = norm(x, condition)
    scale, shift, expected = (condition @ norm.dense.weight.T + norm.dense.bias).split(4, dim=-1)
    own = torch.nn.functional.rms_norm(x, (4,), eps=1e-6)
    assert torch.allclose(found, own * (1 + scale) + shift, atol=1e-6)
    assert torch.equal(gate, expected)


def test_a_new_pi05_begins_as_if_time_said_nothing_but_its_bias() -> None:
    network = PI05(PI05Config(**tiny_networks()))
    dense = [module.dense.weight for module in network.modules() if isinstance(module, AdaptiveRMSNorm)]
    assert len(dense) == 2 * 2 + 1
    assert not any(each.any() for each in dense)

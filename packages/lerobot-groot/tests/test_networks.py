"""The networks: those of published checkpoints, name by name, and their parts against independent definitions."""

from collections.abc import Iterator

import pytest
import torch
import transformers
from published_names import Weight, linear, norm, published_head
from tiny_groot import IMAGE_TOKEN, VOCABULARY, tiny_sizes

from lerobot.core.errors import FeatureMismatchError
from lerobot.groot.eagle import Eagle, shuffled
from lerobot.groot.embodiments import ActionEncoder, EmbodimentMLP
from lerobot.groot.modeling import GrootN15
from lerobot.groot.sizes import PUBLISHED, EagleSize, HeadSize, TransformerSize
from lerobot.groot.transformer import Reader, TimeEncoder
from lerobot.policies.checkpoint.skeleton import without_weights


def published_vision() -> Iterator[Weight]:
    vision = "backbone.eagle_model.vision_model.vision_model."
    yield f"{vision}embeddings.patch_embedding.weight", (1152, 3, 14, 14)
    yield f"{vision}embeddings.patch_embedding.bias", (1152,)
    yield f"{vision}embeddings.position_embedding.weight", (256, 1152)
    for layer in range(27):
        block = f"{vision}encoder.layers.{layer}."
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield from linear(f"{block}self_attn.{name}", 1152, 1152)
        yield from norm(f"{block}layer_norm1", 1152)
        yield from norm(f"{block}layer_norm2", 1152)
        yield from linear(f"{block}mlp.fc1", 4304, 1152)
        yield from linear(f"{block}mlp.fc2", 1152, 4304)
    yield from norm(f"{vision}post_layernorm", 1152)
    yield f"{vision}head.probe", (1, 1, 1152)
    yield f"{vision}head.attention.in_proj_weight", (3 * 1152, 1152)
    yield f"{vision}head.attention.in_proj_bias", (3 * 1152,)
    yield from linear(f"{vision}head.attention.out_proj", 1152, 1152)
    yield from norm(f"{vision}head.layernorm", 1152)
    yield from linear(f"{vision}head.mlp.fc1", 4304, 1152)
    yield from linear(f"{vision}head.mlp.fc2", 1152, 4304)
    yield from linear("backbone.eagle_model.mlp1.0", 2048, 1152)


def published_language() -> Iterator[Weight]:
    model = "backbone.eagle_model.language_model."
    yield f"{model}lm_head.weight", (151_680, 2048)
    yield f"{model}model.embed_tokens.weight", (151_680, 2048)
    yield f"{model}model.norm.weight", (2048,)
    for layer in range(12):
        block = f"{model}model.layers.{layer}."
        for name, rows, columns in (("q", 2048, 2048), ("k", 1024, 2048), ("v", 1024, 2048), ("o", 2048, 2048)):
            yield f"{block}self_attn.{name}_proj.weight", (rows, columns)
        yield f"{block}self_attn.q_norm.weight", (128,)
        yield f"{block}self_attn.k_norm.weight", (128,)
        yield f"{block}mlp.gate_proj.weight", (6144, 2048)
        yield f"{block}mlp.up_proj.weight", (6144, 2048)
        yield f"{block}mlp.down_proj.weight", (2048, 6144)
        yield f"{block}input_layernorm.weight", (2048,)
        yield f"{block}post_attention_layernorm.weight", (2048,)


def test_the_published_size_has_the_published_weights() -> None:
    with without_weights():
        network = GrootN15(PUBLISHED, 64, 32)
    found = {name: tuple(each.shape) for name, each in network.state_dict().items()}
    assert found == {
        **dict(published_vision()),
        **dict(published_language()),
        **dict(published_head()),
        "action_head.future_tokens.weight": (32, 1536),
    }
    assert {each.dtype for each in network.parameters()} == {torch.float32}


# --- Eagle -----------------------------------------------------------------------------------------------------------


def randomised(module: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return module.eval()


def reference() -> tuple[torch.nn.Module, torch.nn.Module]:
    """SigLIP and Qwen3 of transformers, of the same sizes."""
    vision = transformers.SiglipVisionConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=8
    )
    text = transformers.Qwen3Config(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
    )
    return randomised(transformers.SiglipVisionModel(vision)), randomised(transformers.Qwen3Model(text))


def eagle() -> Eagle:
    found = Eagle(EagleSize(**tiny_sizes()["eagle"]))
    randomised(found)
    return found


def prompt() -> tuple[torch.Tensor, torch.Tensor]:
    """Two rows of an image and a text, the second padded on the left."""
    tokens = torch.randint(300, (2, 30))
    tokens[0, 3:19] = tokens[1, 8:24] = IMAGE_TOKEN
    present = torch.ones(2, 30, dtype=torch.bool)
    present[1, :5] = False
    return tokens, present


def test_eagle_is_siglip_and_qwen3_of_transformers() -> None:
    vision, text = reference()
    ours = eagle()
    # Some releases leave out one part of the published names.
    named = {f"vision_model.{name.removeprefix('vision_model.')}": each for name, each in vision.state_dict().items()}
    ours.vision_model.load_state_dict(named)
    ours.language_model.model.load_state_dict(text.state_dict())
    torch.manual_seed(1)
    tokens, present = prompt()
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    seen = ours.mlp1(vision(images).last_hidden_state)
    embedded = text.embed_tokens(tokens)
    embedded[tokens == IMAGE_TOKEN] = seen.flatten(0, 1)
    expected = text(inputs_embeds=embedded, attention_mask=present.long(), position_ids=torch.arange(30)[None])
    found = ours(tokens, present, images)
    assert torch.allclose(found[present], expected.last_hidden_state[present], atol=1e-4)
    assert torch.isfinite(found).all()


def test_padding_is_not_seen() -> None:
    ours = eagle()
    torch.manual_seed(1)
    tokens, present = prompt()
    images = torch.rand(2, 3, 32, 32)
    found = ours(tokens, present, images)
    tokens[1, :5] = 7
    assert torch.equal(ours(tokens, present, images)[present], found[present])


def test_another_number_of_images_is_refused() -> None:
    tokens, present = prompt()
    with pytest.raises(FeatureMismatchError, match="32 tokens for 3 images"):
        eagle()(tokens, present, torch.rand(3, 3, 32, 32))


def test_squares_of_patches_are_joined_row_by_row() -> None:
    """Patch (1, 2) of four by four is, of the square (0, 1), the lower left."""
    patches = torch.arange(16.0).view(1, 16, 1).expand(1, 16, 2)
    assert shuffled(patches)[0].tolist()[1] == [2, 2, 3, 3, 6, 6, 7, 7]


# --- action head -----------------------------------------------------------------------------------------------------


def test_every_kind_of_robot_has_its_own_weights() -> None:
    mlp = EmbodimentMLP(3, 4, 5, 6)
    for parameter in mlp.parameters():
        torch.nn.init.normal_(parameter)
    x, robots = torch.randn(2, 1, 4), torch.tensor([2, 0])
    for row, robot in enumerate(robots.tolist()):
        hidden = torch.relu(x[row] @ mlp.layer1.W[robot] + mlp.layer1.b[robot])
        expected = hidden @ mlp.layer2.W[robot] + mlp.layer2.b[robot]
        assert torch.allclose(mlp(x, robots)[row], expected, atol=1e-5)


def test_noisy_actions_are_told_how_noisy_they_are() -> None:
    """By sines, then cosines, of wavelengths from 1 to 10,000 times a full turn."""
    encoder = ActionEncoder(2, 3, 4)
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter)
    actions, time, robots = torch.randn(1, 2, 3), torch.tensor([250]), torch.tensor([1])
    angles = torch.tensor([250.0, 250.0 / 100])
    x = actions[0] @ encoder.W1.W[1] + encoder.W1.b[1]
    waves = torch.cat([angles.sin(), angles.cos()]).expand(2, 4)
    hidden = torch.cat([x, waves], dim=-1) @ encoder.W2.W[1] + encoder.W2.b[1]
    expected = (hidden * torch.sigmoid(hidden)) @ encoder.W3.W[1] + encoder.W3.b[1]
    assert torch.allclose(encoder(actions, time, robots)[0], expected, atol=1e-4)


def test_blocks_over_what_was_seen_are_those_of_torch() -> None:
    size = TransformerSize(layers=1, heads=2, head_width=4)
    ours = Reader(size)
    randomised(ours)
    block = ours.transformer_blocks[0]
    theirs = torch.nn.TransformerEncoderLayer(
        8,
        2,
        32,
        activation=lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
        batch_first=True,
        norm_first=True,
    ).eval()
    attention = block.attn1
    names = ("to_q", "to_k", "to_v")
    with torch.no_grad():
        for part in ("weight", "bias"):
            joined = torch.cat([getattr(getattr(attention, name), part) for name in names])
            getattr(theirs.self_attn, f"in_proj_{part}").copy_(joined)
            for own, other in (
                (attention.to_out[0], theirs.self_attn.out_proj),
                (block.ff.net[0].proj, theirs.linear1),
                (block.ff.net[2], theirs.linear2),
                (block.norm1, theirs.norm1),
                (block.norm3, theirs.norm2),
            ):
                getattr(other, part).copy_(getattr(own, part))
    x = torch.randn(2, 5, 8)
    padding = torch.tensor([[False] * 5, [True, True, False, False, False]])
    found, expected = ours(x, ~padding[:, None, None]), theirs(x, src_key_padding_mask=padding)
    assert torch.allclose(found[~padding], expected[~padding], atol=1e-5)


def test_times_are_described_with_cosines_first() -> None:
    encoder = TimeEncoder(8)
    torch.nn.init.eye_(encoder.timestep_embedder.linear_1.weight)
    torch.nn.init.eye_(encoder.timestep_embedder.linear_2.weight)
    for layer in encoder.timestep_embedder.children():
        torch.nn.init.zeros_(layer.bias)
    steps = torch.arange(8) / 127
    expected = torch.nn.functional.silu((500 * 10_000.0**-steps).cos())
    assert torch.allclose(encoder(torch.tensor([500]))[0], expected, atol=1e-4)


def test_few_times_to_learn_from_are_near_the_actions() -> None:
    """Where `s - b` over `s` is drawn, with `b` of Beta(1.5, 1): below 0.2 as often as `b` is above 0.8 s."""
    network = GrootN15(PUBLISHED.model_copy(update=tiny_networks()), 4, 4)
    torch.manual_seed(0)
    times = network.action_head.draw_times(torch.zeros(20_000, 1, 1))
    assert times.min() >= (0.999 - 1) / 0.999
    assert times.max() <= 1
    for bound in (0.2, 0.5, 0.9):
        expected = 1 - (0.999 * (1 - bound)) ** 1.5
        assert (times < bound).float().mean().item() == pytest.approx(expected, abs=0.02)


def tiny_networks() -> dict[str, EagleSize | HeadSize]:
    sizes = tiny_sizes()
    return {"eagle": EagleSize(**sizes["eagle"]), "head": HeadSize(**sizes["head"])}

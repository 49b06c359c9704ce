"""The networks of N1.7: those of published checkpoints, name by name, and what they look at."""

from collections.abc import Iterator

import pytest
import torch
from published_names import Weight, linear, norm, published_head
from tiny_groot_n17 import IMAGE_TOKEN, tiny_sizes

from lerobot.core.errors import FeatureMismatchError
from lerobot.groot.n17.backbone import Qwen3VL
from lerobot.groot.n17.head import GrootN17Head
from lerobot.groot.n17.modeling import NAMES, GrootN17
from lerobot.groot.n17.sizes import PUBLISHED, GrootN17HeadSize, GrootN17Size
from lerobot.policies.checkpoint.skeleton import without_weights


def published_backbone() -> Iterator[Weight]:
    visual = "backbone.model.model.visual."
    yield f"{visual}patch_embed.proj.weight", (1024, 3, 2, 16, 16)
    yield f"{visual}patch_embed.proj.bias", (1024,)
    yield f"{visual}pos_embed.weight", (2304, 1024)
    for index in range(24):
        block = f"{visual}blocks.{index}."
        yield from norm(f"{block}norm1", 1024)
        yield from norm(f"{block}norm2", 1024)
        yield from linear(f"{block}attn.qkv", 3072, 1024)
        yield from linear(f"{block}attn.proj", 1024, 1024)
        yield from linear(f"{block}mlp.linear_fc1", 4096, 1024)
        yield from linear(f"{block}mlp.linear_fc2", 1024, 4096)
    for name, width in (("merger", 1024), *((f"deepstack_merger_list.{index}", 4096) for index in range(3))):
        yield from norm(f"{visual}{name}.norm", width)
        yield from linear(f"{visual}{name}.linear_fc1", 4096, 4096)
        yield from linear(f"{visual}{name}.linear_fc2", 2048, 4096)
    for name in NAMES:
        yield name, (151_936, 2048)
    model = "backbone.model.model.language_model."
    yield f"{model}norm.weight", (2048,)
    for layer in range(16):
        block = f"{model}layers.{layer}."
        for name, rows, columns in (("q", 2048, 2048), ("k", 1024, 2048), ("v", 1024, 2048), ("o", 2048, 2048)):
            yield f"{block}self_attn.{name}_proj.weight", (rows, columns)
        for name in ("q_norm", "k_norm"):
            yield f"{block}self_attn.{name}.weight", (128,)
        for name, rows, columns in (("gate", 6144, 2048), ("up", 6144, 2048), ("down", 2048, 6144)):
            yield f"{block}mlp.{name}_proj.weight", (rows, columns)
        for name in ("input_layernorm", "post_attention_layernorm"):
            yield f"{block}{name}.weight", (2048,)


def test_the_published_size_has_the_published_weights() -> None:
    with without_weights():
        network = GrootN17(PUBLISHED, 132, 132)
    found = {name: tuple(each.shape) for name, each in network.state_dict().items()}
    head = published_head(layers=32, states=132, actions=132)
    assert found == {**dict(published_backbone()), **dict(head)}
    # The table of tokens has two names.
    assert len(found) == 1031
    assert sum(each.numel() for each in network.parameters()) == 3_144_016_000
    network.freeze(language=True, top_layers=0, vision=True, projections=False, dit=False, reader=False)
    assert sum(each.numel() for each in network.parameters() if each.requires_grad) == 1_620_515_968


# --- Qwen3-VL --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def backbone() -> Qwen3VL:
    torch.manual_seed(0)
    found = Qwen3VL(GrootN17Size(**tiny_sizes()))
    for parameter in found.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return found.eval()


def prompt() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two rows of an image of 4 x 4 patches and a text, the second padded on the left."""
    torch.manual_seed(1)
    tokens = torch.randint(280, (2, 12))
    tokens[0, 1:5] = tokens[1, 5:9] = IMAGE_TOKEN
    present = torch.ones(2, 12, dtype=torch.bool)
    present[1, :4] = False
    return tokens, present, torch.randn(32, 96), torch.tensor([[1, 4, 4]] * 2)


def test_what_is_handed_on_is_what_the_last_layer_makes_before_it_is_normalised(backbone: Qwen3VL) -> None:
    tokens, present, patches, grids = prompt()
    found = backbone(tokens, present, patches, grids)
    said = backbone.model(
        input_ids=tokens,
        attention_mask=present.long(),
        pixel_values=patches,
        image_grid_thw=grids,
        mm_token_type_ids=(tokens == IMAGE_TOKEN).int(),
    )
    expected = backbone.model.lm_head(backbone.language_model.norm(found))
    # Deeper features of images are added behind both layers, and the last time nobody asks for them.
    text = present & (tokens != IMAGE_TOKEN)
    assert torch.allclose(expected[text], said.logits[text], atol=1e-4)
    assert (found - backbone.language_model.norm(found)).abs().max() > 0.1


def test_padding_is_not_seen(backbone: Qwen3VL) -> None:
    tokens, present, patches, grids = prompt()
    found = backbone(tokens, present, patches, grids)
    tokens[1, :4] = 7
    assert torch.equal(backbone(tokens, present, patches, grids)[present], found[present])


@pytest.mark.parametrize(("patches", "images"), [(16, 1), (48, 3), (16, 2)])
def test_another_number_of_images_is_refused(backbone: Qwen3VL, patches: int, images: int) -> None:
    tokens, present, _, _ = prompt()
    with pytest.raises(FeatureMismatchError, match=f"8 tokens of images for {patches} patches"):
        backbone(tokens, present, torch.randn(patches, 96), torch.tensor([[1, 4, 4]] * images))


# --- action head -----------------------------------------------------------------------------------------------------


def head(**changes: object) -> GrootN17Head:
    torch.manual_seed(0)
    found = GrootN17Head(GrootN17HeadSize(**{**tiny_sizes()["head"], **changes}), 32, 10, 8)
    for parameter in found.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return found.eval()


def looked_at(found: GrootN17Head, image: torch.Tensor) -> tuple[bool, bool]:
    """Whether text, and whether images matter for the velocity, where nothing else tells of them."""
    seen, present = torch.randn(1, 6, 32), torch.ones(1, 6, dtype=torch.bool)
    state, robot, noisy, time = torch.randn(1, 1, 10), torch.tensor([3]), torch.randn(1, 6, 8), torch.tensor([0.5])
    observed = found.observe_parts(seen, present, image, state, robot)
    velocity = found.velocity(observed, noisy, time)

    def changes(where: torch.Tensor) -> bool:
        other = observed._replace(seen=observed.seen + where[..., None])
        return not torch.equal(found.velocity(other, noisy, time), velocity)

    return changes(~image), changes(image)


@pytest.mark.parametrize(
    ("blocks", "every", "expected"),
    [(1, 2, (True, False)), (3, 2, (True, True)), (3, 1, (True, False)), (1, 3, (True, False))],
)
def test_blocks_look_at_text_and_images_in_turn(blocks: int, every: int, expected: tuple[bool, bool]) -> None:
    dit = {"layers": blocks, "heads": 2, "head_width": 12}
    image = torch.tensor([[False, True, True, True, False, False]])
    assert looked_at(head(dit=dit, text_every=every), image) == expected


def test_learning_leaves_states_out() -> None:
    found = head(state_dropout=0.5)
    seen, present = torch.randn(1, 6, 32).expand(200, -1, -1), torch.ones(200, 6, dtype=torch.bool)
    state, robot = torch.ones(200, 1, 10), torch.zeros(200, dtype=torch.int64)
    given = (seen, present, ~present, state, robot)
    assert (found.observe_parts(*given).state != 0).any(dim=-1).all()
    left = (found.train().observe_parts(*given).state == 0).all(dim=-1).float().mean()
    assert 0.3 < left < 0.7


def test_times_to_learn_from_are_rarely_near_the_actions() -> None:
    torch.manual_seed(0)
    times = head().draw_times(torch.empty(20_000, 1, 1))
    assert times.min() >= 0
    assert times.max() <= 0.999
    # 1 - b with b of Beta(1.5, 1), whose mean is 0.6, times 0.999.
    assert times.mean() == pytest.approx(0.3996, abs=0.01)

"""The parts of the network, against independent definitions."""

import math

import numpy as np
import torch
from torch import nn

from lerobot.vqbet.codes import Codebook, ResidualQuantiser
from lerobot.vqbet.config import VQBeTConfig
from lerobot.vqbet.gpt import GPT

SMALL = {"gpt_input_dim": 6, "gpt_output_dim": 5, "gpt_n_layer": 2, "gpt_n_head": 2, "gpt_hidden_dim": 8}


def test_codes_are_the_nearest_of_what_is_left() -> None:
    """Algorithm 1 of arXiv:2107.03312 in numpy."""
    torch.manual_seed(0)
    quantiser, vectors = ResidualQuantiser(7, 4).eval(), torch.randn(30, 4)
    found = quantiser(vectors)
    rest, total = vectors.numpy().astype(np.float64), np.zeros((30, 4))
    for layer, book in enumerate(quantiser._codebooks):
        table = book.embed[0].numpy()
        nearest = np.linalg.norm(rest[:, None] - table[None], axis=-1).argmin(axis=1)
        assert np.array_equal(found.codes[:, layer].numpy(), nearest)
        rest, total = rest - table[nearest], total + table[nearest]
    assert np.allclose(found.vectors.numpy(), total, atol=1e-6)
    assert torch.allclose(quantiser.vectors(found.codes), found.vectors, atol=1e-6)
    assert found.commitment.item() == 0


def test_codebooks_follow_as_running_means() -> None:
    """Equations 6 to 8 of arXiv:1711.00937 with a decay of 0.8, and counts smoothed by 1e-5."""
    book = Codebook(3, 2)
    vectors, codes = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), torch.tensor([0, 0, 2])
    start = book.embed[0].numpy().astype(np.float64)
    book.follow(vectors, codes)
    counts = 0.2 * np.array([2.0, 0.0, 1.0])
    sums = 0.8 * start + 0.2 * np.array([[4.0, 6.0], [0.0, 0.0], [5.0, 6.0]])
    smoothed = (counts + 1e-5) / (counts.sum() + 3e-5) * counts.sum()
    assert np.allclose(book.cluster_size[0].numpy(), counts, atol=1e-6)
    assert np.allclose(book.embed[0].numpy(), sums / smoothed[:, None], rtol=1e-4)


def test_frozen_codebooks_stay_and_gradients_pass() -> None:
    quantiser, vectors = ResidualQuantiser(7, 4).train(), torch.randn(30, 4, requires_grad=True)
    quantiser.freeze_codebook.fill_(True)
    before = {name: value.clone() for name, value in quantiser.state_dict().items()}
    quantiser(vectors).vectors.sum().backward()
    assert all(torch.equal(before[name], value) for name, value in quantiser.state_dict().items())
    assert vectors.grad is not None
    # As published: what is left over depends on the vector too, so that each layer hands the gradient on.
    assert torch.allclose(vectors.grad, torch.full((30, 4), 2.0))


def test_no_token_looks_ahead() -> None:
    torch.manual_seed(0)
    gpt, tokens = GPT(VQBeTConfig(**SMALL)).eval(), torch.randn(2, 6, 6)
    changed = tokens.clone()
    changed[:, 4:] += 1
    before, after = list(range(4)), [4, 5]
    assert torch.allclose(gpt(tokens, before), gpt(changed, before), atol=1e-6)
    assert not torch.allclose(gpt(tokens, after), gpt(changed, after), atol=1e-2)


def test_a_block_is_the_transformer_layer_of_torch() -> None:
    torch.manual_seed(0)
    block, tokens = GPT(VQBeTConfig(**SMALL)).eval().transformer["h"][0], torch.randn(3, 5, 8)  # type: ignore[index]
    for parameter in block.parameters():
        nn.init.normal_(parameter)
    layer = nn.TransformerEncoderLayer(8, 2, 32, activation="gelu", norm_first=True, batch_first=True).eval()
    names = {
        "self_attn.in_proj_": "attn.c_attn.",
        "self_attn.out_proj.": "attn.c_proj.",
        "linear1.": "mlp.0.",
        "linear2.": "mlp.2.",
        "norm1.": "ln_1.",
        "norm2.": "ln_2.",
    }
    weights = block.state_dict()
    layer.load_state_dict(
        {theirs + kind: weights[ours + kind] for theirs, ours in names.items() for kind in ("weight", "bias")}
    )
    ahead = torch.ones(5, 5).triu(1).bool()
    assert torch.allclose(block(tokens), layer(tokens, src_mask=ahead), atol=1e-4)


def test_the_transformer_starts_as_published() -> None:
    """Deviations of 0.02, and of 0.02 / sqrt(2 layers) where results are added; no biases."""
    torch.manual_seed(0)
    gpt = GPT(VQBeTConfig(gpt_hidden_dim=256, gpt_n_layer=2))
    for name, parameter in gpt.named_parameters():
        if name.endswith("bias"):
            assert not parameter.any()
        elif parameter.ndim > 1:
            expected = 0.02 / math.sqrt(4) if name.endswith("c_proj.weight") else 0.02
            assert abs(parameter.std().item() / expected - 1) < 0.03, name
        else:
            assert bool((parameter == 1).all())

"""Blocks of networks: which they are, and that computing them again changes nothing but the memory."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lerobot.policies.networks.attention import frequencies, rotary
from lerobot.policies.networks.blocks import RecomputingNetwork, blocks, has_forward, recompute
from lerobot.policies.networks.decoder import LLAMA, Decoder, DecoderLayer
from lerobot.policies.networks.sizes import DecoderSize, EncoderSize
from lerobot.policies.networks.vision_transformer import Encoder, EncoderLayer

SIZE = DecoderSize(width=16, hidden=32, layers=3, heads=2, key_heads=1, head_width=8, vocabulary=0)


class Residual(nn.Module):
    """Two layers with dropout, and running statistics if wished."""

    def __init__(self, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.first, self.norm, self.dropout = nn.Linear(6, 6), norm(6), nn.Dropout(0.3)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = x + self.dropout(torch.relu(self.norm(self.first(x))))
        return found


def residuals(norm: Callable[[int], nn.Module] = nn.LayerNorm) -> nn.Sequential:
    torch.manual_seed(2)
    return nn.Sequential(nn.Linear(4, 6), Residual(norm), nn.Sequential(Residual(norm), Residual(norm)))


def test_blocks_are_the_inner_elements_made_of_several_layers() -> None:
    network = residuals()
    found = blocks(network)
    assert found == [network[1], network[2][0], network[2][1]]
    assert blocks(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))) == []
    encoder = Encoder(EncoderSize(width=8, hidden=16, layers=2, heads=2))
    assert [type(block) for block in blocks(nn.ModuleDict({"a": encoder}))] == [EncoderLayer] * 2
    layers = blocks(Decoder(SIZE, LLAMA))
    assert [type(block) for block in layers] == [DecoderLayer] * 3
    assert not has_forward(layers[0])


def gradients(network: nn.Module, call: Callable[[nn.Module], Tensor]) -> tuple[tuple[Tensor, list[Tensor]], int]:
    """Loss and gradients, and how many layers computed for them."""
    calls = []
    for module in network.modules():
        if isinstance(module, nn.Linear):
            module.register_forward_pre_hook(lambda *_: calls.append(1))
    torch.manual_seed(5)
    loss = call(network.train()).square().mean()
    loss.backward()
    learned = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    return (loss.detach(), learned), len(calls)


def read(network: nn.Module) -> Tensor:
    x = torch.randn(2, 5, 16)
    by = rotary(torch.arange(5)[None].expand(2, -1), frequencies(8, 10_000.0, x.device))
    found: Tensor = network(x, by, torch.ones(2, 5, 5, dtype=torch.bool))
    return found


@pytest.mark.parametrize(
    ("make", "call", "parts"),
    [
        (residuals, lambda network: network(torch.randn(3, 4)), 3),
        (lambda: Decoder(SIZE, LLAMA), read, 1),
    ],
    ids=["residual blocks with dropout", "decoder"],
)
def test_what_is_computed_again_is_the_same(
    make: Callable[[], nn.Module], call: Callable[[nn.Module], Tensor], parts: int
) -> None:
    plain = make()
    again = copy.deepcopy(plain)
    assert recompute(again) == parts
    assert again.state_dict().keys() == plain.state_dict().keys()
    # A copy, such as a moving average, calls its own blocks.
    copied = copy.deepcopy(again)
    expected, once = gradients(plain, call)
    for network in (again, copied):
        (loss, found), twice = gradients(network, call)
        assert twice > once
        assert torch.equal(loss, expected[0])
        assert len(found) == len(expected[1]) > 0
        assert all(torch.equal(mine, other) for mine, other in zip(found, expected[1], strict=True))


def test_running_statistics_count_a_batch_once() -> None:
    plain = residuals(nn.BatchNorm1d)
    again = copy.deepcopy(plain)
    assert recompute(again) == 0
    assert not [module for module in again.modules() if isinstance(module, RecomputingNetwork)]

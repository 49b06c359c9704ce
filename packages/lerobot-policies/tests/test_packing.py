"""Packed copies of weights stand for the weights as they are now, whoever changes them."""

import copy
import pickle
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lerobot.policies.networks import linear as module
from lerobot.policies.networks.linear import linear
from lerobot.policies.networks.packing import PackedWeight

pytestmark = pytest.mark.skipif(not module._there(), reason="torch has no oneDNN here")


@pytest.fixture(autouse=True)
def intel(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a processor of Intel's with AVX-512, whatever this one is."""
    monkeypatch.setattr(module, "_intel", lambda: True)
    monkeypatch.setattr(module, "_wide", lambda: True)


class Layer(nn.Module):
    """A large weight with its copy."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.weight, self.bias = nn.Parameter(torch.randn(1024, 1024)), nn.Parameter(torch.randn(1024))
        self.packed = PackedWeight()

    def forward(self, tokens: Tensor) -> Tensor:
        return linear(tokens, self.weight, self.bias, self.packed)


def check(layer: Layer, rows: int = 4) -> None:
    """Check that a layer multiplies by the weight it has, and keeps a copy of it."""
    tokens = torch.randn(rows, 1024)
    with torch.no_grad():
        found, expected = layer(tokens), F.linear(tokens, layer.weight, layer.bias)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert layer.packed._copy is not None


def learn(layer: Layer) -> None:
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0)
    F.linear(torch.randn(4, 1024), layer.weight).square().mean().backward()
    optimizer.step()


def load(layer: Layer) -> None:
    layer.load_state_dict({"weight": torch.randn(1024, 1024), "bias": torch.zeros(1024)})


def change_one_number(layer: Layer) -> None:
    with torch.no_grad():
        layer.weight[700, 3] += 100.0


def average(layer: Layer) -> None:
    """As moving averages of weights do that torch does not count."""
    layer.weight.data.mul_(0.5)


def replace(layer: Layer) -> None:
    other = layer.weight.detach().clone()
    other[700] = 1.0
    layer.weight.data = other


@pytest.mark.parametrize("change", [learn, load, change_one_number, average, replace])
def test_a_changed_weight_is_packed_anew(change: Callable[[Layer], None]) -> None:
    layer = Layer()
    check(layer)
    change(layer)
    check(layer)


def test_a_weight_that_stays_is_packed_once() -> None:
    layer = Layer()
    first, second = (layer.packed.of(layer.weight) for _ in range(2))
    assert first is second


@pytest.mark.parametrize("rows", [3, 4, 8])
def test_a_weight_is_packed_for_few_rows(rows: int) -> None:
    check(Layer(), rows)


@pytest.mark.parametrize("rows", [1, 2, 9, 100])
def test_a_weight_that_is_as_fast_as_it_is_has_no_copy(rows: int) -> None:
    layer = Layer()
    with torch.no_grad():
        layer(torch.randn(rows, 1024))
    assert layer.packed._copy is None


def test_without_avx512_there_is_no_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_wide", lambda: False)
    layer, tokens = Layer(), torch.randn(4, 1024)
    with torch.no_grad():
        found, expected = layer(tokens), F.linear(tokens, layer.weight, layer.bias)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert layer.packed._copy is None


def test_learning_frees_the_copy() -> None:
    layer = Layer()
    check(layer)
    layer(torch.randn(4, 1024)).sum().backward()
    assert layer.packed._copy is None
    assert layer.weight.grad is not None


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_a_copied_layer_starts_without(copied: Callable[[Layer], Layer]) -> None:
    layer = Layer()
    check(layer)
    other = copied(layer)
    assert other.packed._copy is None
    change_one_number(other)
    check(other)
    check(layer)


def test_weights_made_for_inference_only_are_packed_too() -> None:
    with torch.inference_mode():
        layer = Layer()
        check(layer)
        average(layer)
        check(layer)

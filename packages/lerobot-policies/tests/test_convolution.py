"""Convolution and pooling against torch's own, bit for bit."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lerobot.policies.networks import convolution
from lerobot.policies.networks.convolution import Conv2d, MaxPool2d


def both_ways(layer: nn.Module, pictures: Tensor) -> tuple[Tensor, ...]:
    """The result, and gradients that differ from place to place."""
    given = pictures.detach().clone(memory_format=torch.preserve_format).requires_grad_()
    result: Tensor = layer(given)
    weights = torch.linspace(-1, 1, result.numel()).view(result.shape)
    (result * weights).sum().backward()
    assert given.grad is not None
    return result.detach(), given.grad, *(each.grad for each in layer.parameters() if each.grad is not None)


@settings(deadline=None)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 20), st.integers(5, 23), st.integers(5, 23)),
    size=st.integers(1, 3),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    ceil=st.booleans(),
    layout=st.sampled_from([torch.contiguous_format, torch.channels_last]),
    ties=st.booleans(),
    seed=st.integers(0, 100),
)
def test_pooling_and_its_gradients_are_those_of_torch(
    shape: tuple[int, ...],
    size: int,
    stride: int,
    dilation: int,
    ceil: bool,
    layout: torch.memory_format,
    ties: bool,
    seed: int,
) -> None:
    """Between equal numbers too: the gradient goes to the same one."""
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    pictures = (values.round() if ties else values).contiguous(memory_format=layout)
    options = {"padding": size // 2, "dilation": dilation, "ceil_mode": ceil}
    layers = [each(size, stride, **options) for each in (MaxPool2d, nn.MaxPool2d)]
    found, expected = (both_ways(layer, pictures) for layer in layers)
    assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))
    assert found[0].is_contiguous(memory_format=layout)


def test_pooling_of_numbers_that_are_none_finds_none() -> None:
    pictures = torch.zeros(1, 2, 8, 8)
    pictures[0, 0, 3, 3] = torch.nan
    expected = nn.MaxPool2d(3, 2, 1)(pictures)
    assert torch.equal(MaxPool2d(3, 2, 1)(pictures).isnan(), expected.isnan())
    assert expected.isnan().any()


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """On one thread torch chooses other functions than on two."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("options", [{"padding": 1}, {"padding": 1, "stride": 2}, {"padding": 2, "dilation": 2}])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("given_in", [torch.contiguous_format, torch.channels_last])
def test_one_picture_has_the_numbers_it_has_among_others(
    options: dict[str, int], layout: torch.memory_format, given_in: torch.memory_format
) -> None:
    """The layout is that of the weights, not that of the pictures."""
    torch.manual_seed(0)
    layer, reference = (each(32, 48, 3, **options).to(memory_format=layout) for each in (Conv2d, nn.Conv2d))
    reference.load_state_dict(layer.state_dict())
    pictures = torch.randn(5, 32, 9, 7).contiguous(memory_format=given_in)
    with torch.inference_mode():
        expected = reference(pictures.contiguous(memory_format=layout))
        assert torch.equal(layer(pictures[:1]), expected[:1])
        assert torch.equal(layer(pictures), expected)


@settings(deadline=None)
@given(
    count=st.integers(1, 5),
    size=st.tuples(st.integers(3, 6), st.integers(3, 6)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    layouts=st.tuples(*2 * [st.sampled_from([torch.contiguous_format, torch.channels_last])]),
    bias=st.booleans(),
)
def test_gradients_of_fewer_pixels_than_channels_are_those_of_torch(
    count: int,
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    layouts: tuple[torch.memory_format, torch.memory_format],
    bias: bool,
) -> None:
    """They are sums of up to 320 products, added in another order; what is computed forwards has the same bits."""
    torch.manual_seed(count)
    layer, reference = (
        each(5, 320, kernel, stride=stride, padding=padding, bias=bias).to(memory_format=layouts[0])
        for each in (Conv2d, nn.Conv2d)
    )
    reference.load_state_dict(layer.state_dict())
    pictures = torch.randn(count, 5, *size).contiguous(memory_format=layouts[1])
    found = both_ways(layer, pictures)
    expected = both_ways(reference, pictures.contiguous(memory_format=layouts[0]))
    assert len(found) == len(expected) == 3 + bias
    assert count == 1 or torch.equal(found[0], expected[0])
    for one, two in zip(found, expected, strict=True):
        assert torch.allclose(one, two, rtol=1e-5, atol=1e-5 * float(two.abs().max()))


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What gradients were computed from as one product."""
    calls: list[Any] = []
    own = convolution._of_weight
    monkeypatch.setattr(convolution, "_of_weight", lambda *given: calls.append(given) or own(*given))
    return calls


@pytest.mark.parametrize(("wide", "few"), [(8, True), (9, False)])
def test_only_of_few_pixels_the_gradient_is_a_product(wide: int, few: bool, products: list[Any]) -> None:
    both_ways(Conv2d(4, 48, 3, padding=1), torch.randn(2, 4, 3, wide))
    assert len(products) == few


@pytest.mark.parametrize("options", [{"groups": 2}, {"dilation": 2, "padding": 2}])
def test_sparse_windows_are_left_to_torch(options: dict[str, int]) -> None:
    layer, reference = Conv2d(4, 48, 3, **options), nn.Conv2d(4, 48, 3, **options)
    reference.load_state_dict(layer.state_dict())
    pictures = torch.randn(2, 4, 4, 4)
    pairs = zip(both_ways(layer, pictures), both_ways(reference, pictures), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


def test_weights_that_are_not_learned_cost_nothing(products: list[Any]) -> None:
    layer = Conv2d(4, 48, 3, padding=1)
    layer.weight.requires_grad_(False)
    _, picture, *others = both_ways(layer, torch.randn(2, 4, 3, 3))
    assert picture.abs().sum() > 0
    assert not products
    assert [each.shape for each in others] == [(48,)]


@pytest.mark.parametrize("options", [{"padding": "same"}, {"padding": 1, "padding_mode": "reflect"}, {"groups": 2}])
def test_every_option_means_what_it_does_in_torch(options: dict[str, Any]) -> None:
    layer, reference = Conv2d(4, 6, 3, **options), nn.Conv2d(4, 6, 3, **options)
    reference.load_state_dict(layer.state_dict())
    picture = torch.randn(1, 4, 9, 7)
    assert torch.allclose(layer(picture), reference(picture), atol=1e-5)


def test_gradients_of_one_picture_are_those_of_torch() -> None:
    torch.manual_seed(0)
    layer, reference = Conv2d(4, 6, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)
    reference.load_state_dict(layer.state_dict())
    picture = torch.randn(1, 4, 9, 7)
    pairs = zip(both_ways(layer, picture), both_ways(reference, picture), strict=True)
    assert all(torch.allclose(found, expected, rtol=1e-5, atol=1e-5) for found, expected in pairs)


def test_mixed_precision_and_other_types_are_left_to_torch() -> None:
    layer, picture = Conv2d(4, 6, 3), torch.randn(1, 4, 9, 7)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(picture).dtype == torch.bfloat16
    assert layer.double()(picture.double()).dtype == torch.float64


def test_where_torch_has_no_onednn_its_own_convolution_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.delattr(torch, "mkldnn_convolution")
    assert Conv2d(4, 6, 3)(torch.randn(1, 4, 9, 7)).shape == (1, 6, 7, 5)


def test_an_exported_network_has_torchs_own_layers() -> None:
    layers, inputs = nn.Sequential(Conv2d(4, 6, 3), MaxPool2d(3, 2, 1)), (torch.randn(1, 4, 9, 7),)
    program = torch.export.export(layers, inputs, strict=False)
    called = {str(node.target).split(".")[1] for node in program.graph.nodes if node.op == "call_function"}
    assert called <= {"conv2d", "convolution", "max_pool2d", "max_pool2d_with_indices"}

"""Accelerated layers against torch's own, forwards and backwards."""

import copy
import pickle
import platform
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lerobot.policies.acceleration import TWINS, accelerate, layers, product
from lerobot.policies.networks.resnet import ResNet, group_norm


@pytest.fixture(autouse=True, params=[False, True])
def intel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """On processors of either maker, whatever this one is."""
    monkeypatch.setattr(product, "_is_intel", lambda: request.param)
    monkeypatch.setattr(product, "_has_avx512", lambda: True)
    return bool(request.param)


def fast(layer: nn.Module) -> nn.Module:
    """An accelerated copy."""
    twin = copy.deepcopy(layer)
    accelerate(twin)
    return twin


def both_ways(layer: nn.Module, inputs: Tensor) -> list[Tensor]:
    """The result without gradients and with them, and gradients that differ from place to place."""
    with torch.no_grad():
        alone = layer(inputs)
    given = inputs.detach().clone().requires_grad_()
    result: Tensor = layer(given)
    weights = torch.linspace(-1, 1, result.numel()).view(result.shape)
    learned = [given, *(each for each in layer.parameters() if each.requires_grad)]
    return [alone, result.detach(), *torch.autograd.grad((result * weights).sum(), learned)]


def agree(layer: nn.Module, inputs: Tensor) -> None:
    """Check that an accelerated layer computes what torch's does, but for the order in which numbers are added."""
    for found, expected in zip(both_ways(fast(layer), inputs), both_ways(layer, inputs), strict=True):
        assert found.shape == expected.shape
        assert found.stride() == expected.stride(), "what is drawn at random next would be drawn in another order"
        assert (found - expected).abs().max() <= 1e-5 * max(1.0, float(expected.abs().max()))


@pytest.fixture(params=["all operators", "one operator missing", "no oneDNN"])
def operators(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whether torch has what is called of it by hand."""
    if request.param == "one operator missing":
        monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace())
    if request.param == "no oneDNN":
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    product._is_there.cache_clear()
    yield
    product._is_there.cache_clear()


@pytest.mark.usefixtures("operators")
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    "shape", [(40, 24), (7, 5, 24), (3, 24), (2, 3, 4, 24), (24,), (0, 24), (4, 1024), (2, 20, 1024), (1024,)]
)
def test_a_linear_layer_is_that_of_torch(shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(0)
    inputs = torch.randn(shape)
    if inputs.numel():
        agree(nn.Linear(shape[-1], 12 if shape[-1] < 1024 else 1024, bias=bias), inputs)
    else:
        assert fast(nn.Linear(24, 12))(inputs).shape == (0, 12)


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_every_option_of_a_linear_layer_means_what_it_does_in_torch(data: st.DataObject) -> None:
    torch.manual_seed(data.draw(st.integers(0, 100)))
    size = data.draw(st.sampled_from([1, 24, 1024]))
    shape = data.draw(st.lists(st.integers(1, 9), max_size=3))
    agree(
        nn.Linear(size, data.draw(st.sampled_from([1, 12, 1024])), bias=data.draw(st.booleans())),
        torch.randn(*shape, size),
    )


@pytest.mark.usefixtures("operators")
@pytest.mark.parametrize(("rows", "steps"), [(2, 8), (1, 4), (1, 7)])
@pytest.mark.parametrize(("channels", "size", "stride"), [(512, 5, 1), (8, 5, 1), (1024, 1, 1), (640, 3, 2), (8, 3, 2)])
def test_a_convolution_over_time_is_that_of_torch(channels: int, size: int, stride: int, rows: int, steps: int) -> None:
    """Those of many channels are computed as a product."""
    torch.manual_seed(0)
    agree(nn.Conv1d(channels, channels, size, stride, padding=size // 2), torch.randn(rows, channels, steps))


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_every_option_of_a_convolution_means_what_it_does_in_torch(data: st.DataObject) -> None:
    """With weights of every size taken for large ones."""
    torch.manual_seed(data.draw(st.integers(0, 100)))
    groups = data.draw(st.sampled_from([1, 1, 1, 2]))
    layer = nn.Conv1d(
        4,
        6,
        data.draw(st.integers(1, 4)),
        stride=data.draw(st.integers(1, 3)),
        padding=data.draw(st.integers(0, 3)),
        dilation=data.draw(st.sampled_from([1, 1, 1, 2])),
        groups=groups,
        bias=data.draw(st.booleans()),
        padding_mode=data.draw(st.sampled_from(["zeros", "zeros", "circular", "reflect", "replicate"])),
    )
    signal = torch.randn(data.draw(st.integers(1, 4)), 4, data.draw(st.integers(7, 12)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layers, "_LARGE_WEIGHT", 0)
        agree(layer, signal)
        agree(layer, signal[0])


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_padding_by_name_is_left_to_torch(padding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "_LARGE_WEIGHT", 0)
    agree(nn.Conv1d(4, 6, 3, padding=padding), torch.randn(2, 4, 8))


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each product by oneDNN, whether the weight stood on the left."""
    calls: list[bool] = []
    own = product._multiply

    def multiply(left: Tensor, *others: Any) -> Tensor:
        calls.append(len(left) == 1024)
        return own(left, *others)

    monkeypatch.setattr(product, "_multiply", multiply)
    return calls


@pytest.mark.skipif(not product._is_there(), reason="torch has no oneDNN here")
@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize(
    ("rows", "width", "makers"),
    [
        (2, 1024, []),
        (3, 1024, [True]),
        (15, 1023, []),
        (16, 1024, [True, False]),
        (16, 8, [False]),
        (64, 1024, [True, False]),
        (65, 1024, [False]),
    ],
)
def test_the_faster_library_multiplies(
    rows: int,
    width: int,
    makers: list[bool],
    wide: bool,
    intel: bool,
    products: list[bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """oneDNN: on Intel's few rows by large weights, the weight on the left; on others many rows, with AVX-512."""
    monkeypatch.setattr(product, "_has_avx512", lambda: wide)
    with torch.no_grad():
        fast(nn.Linear(width, 1024))(torch.randn(rows, width))
    assert products == [maker for maker in makers if maker == intel and (intel or wide)]


@pytest.mark.parametrize(("steps", "count"), [(1024, 1), (1025, 0)])
def test_only_a_short_signal_is_a_product(steps: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, own = [], layers.product
    monkeypatch.setattr(layers, "product", lambda *given: calls.append(given) or own(*given))
    with torch.no_grad():
        fast(nn.Conv1d(1024, 1024, 1))(torch.randn(1, 1024, steps))
    assert len(calls) == count


def test_what_needs_no_gradient_gets_none() -> None:
    layer, tokens = fast(nn.Linear(1024, 1024)), torch.randn(32, 1024)
    layer.weight.requires_grad_(False)
    layer(tokens).sum().backward()
    assert layer.weight.grad is None
    assert isinstance(layer.bias, Tensor)
    assert torch.equal(layer.bias.grad, torch.full((1024,), 32.0))


@pytest.mark.skipif(not product._is_there(), reason="torch has no oneDNN here")
def test_who_differentiates_twice_is_told(products: list[bool]) -> None:
    tokens = torch.randn(32, 1024, requires_grad=True)
    (gradient,) = torch.autograd.grad(fast(nn.Linear(1024, 1024))(tokens).square().sum(), tokens, create_graph=True)
    assert products
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


LAYERS: list[Callable[[], tuple[nn.Module, Tensor]]] = [
    lambda: (nn.Linear(1024, 1024), torch.randn(32, 1024)),
    lambda: (nn.Conv1d(512, 512, 5, padding=2), torch.randn(2, 512, 8)),
]


@pytest.mark.parametrize("make", LAYERS)
def test_mixed_precision_and_other_types_are_left_to_torch(
    make: Callable[[], tuple[nn.Module, Tensor]], products: list[bool]
) -> None:
    layer, inputs = make()
    layer = fast(layer)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(inputs).dtype == torch.bfloat16
    assert layer.double()(inputs.double()).dtype == torch.float64
    assert not products


@pytest.mark.parametrize("make", LAYERS)
def test_what_is_exported_has_torchs_own_layers(make: Callable[[], tuple[nn.Module, Tensor]]) -> None:
    """And takes a batch of any size."""
    layer, inputs = make()
    batch = torch.export.Dim("batch", min=1)
    for network in (nn.Sequential(fast(layer)), nn.Sequential(layer)):
        program = torch.export.export(network, (inputs,), dynamic_shapes=({0: batch},), strict=False)
        called = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
        assert called <= {"aten.linear.default", "aten.conv1d.default", "aten.conv1d.padding"}


class Network(nn.Module):
    """Layers that share a weight, and some that are none of torch's."""

    class Own(nn.Linear):
        """A layer of somebody else's."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.own = nn.Linear(4, 4), nn.Linear(4, 4), self.Own(4, 4)
        self.second.weight = self.first.weight
        self.time = nn.Sequential(nn.Conv1d(4, 4, 3), nn.Conv2d(4, 4, 3))


def test_only_classes_change() -> None:
    network = Network()
    calls: list[str] = []
    network.first.register_forward_hook(lambda *_: calls.append("hook"))
    before = [*network.modules()], dict(network.named_parameters()), network.state_dict(keep_vars=True)
    for _ in range(2):
        accelerate(network)
        assert [id(each) for each in network.modules()] == [id(each) for each in before[0]]
        assert all(each is before[1][name] for name, each in network.named_parameters())
        assert all(each is before[2][name] for name, each in network.state_dict(keep_vars=True).items())
    assert network.second.weight is network.first.weight
    assert [type(each).__name__ for each in network.modules()] == [
        *("Network", "FastLinear", "FastLinear", "Own", "Sequential", "FastConv1d", "Conv2d")
    ]
    network.first(torch.randn(2, 4))
    assert calls == ["hook"]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])
def test_copies_are_as_fast_and_share_nothing(copied: Callable[[nn.Module], nn.Module]) -> None:
    network = fast(nn.Sequential(nn.Linear(4, 4), nn.Conv1d(4, 4, 3)))
    other = copied(network)
    assert [type(each) for each in other] == [TWINS[nn.Linear], TWINS[nn.Conv1d]]
    pairs = zip(network.parameters(), other.parameters(), strict=True)
    assert all(torch.equal(one, two) and one is not two for one, two in pairs)


def test_moving_averages_are_of_the_same_layers() -> None:
    network = fast(nn.Linear(4, 4))
    average = torch.optim.swa_utils.AveragedModel(network)
    average.update_parameters(network)
    assert type(average.module) is TWINS[nn.Linear]
    assert torch.equal(average(torch.ones(1, 4)), network(torch.ones(1, 4)))


@pytest.mark.slow
def test_a_compiled_network_has_torchs_own_layers(products: list[bool]) -> None:
    layer, inputs = nn.Linear(1024, 1024), torch.randn(32, 1024)
    compiled = torch.compile(fast(layer), backend="aot_eager")
    assert (compiled(inputs) - layer(inputs)).abs().max() <= 1e-5
    assert not products


@pytest.mark.parametrize(
    ("norm", "last"), [({}, True), ({"norm": nn.BatchNorm2d}, False), ({"norm": group_norm}, False)]
)
def test_networks_for_images_have_channels_last_where_statistics_are_fixed(norm: dict[str, Any], last: bool) -> None:
    network = ResNet("resnet18", **norm)
    accelerate(network)
    weight = network.layer1[0].conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last) == last


@pytest.mark.parametrize("maker", ["GenuineIntel", "AuthenticAMD"])
@pytest.mark.parametrize("system", ["Linux", "Windows"])
def test_the_maker_is_told_on_every_system(maker: str, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(product.Path, "exists", lambda _: system == "Linux")
    monkeypatch.setattr(product.Path, "read_text", lambda _: f"vendor_id : {maker}")
    monkeypatch.setattr(platform, "processor", lambda: f"Family 6 Model 142, {maker}")
    assert product._is_intel.__wrapped__() == (maker == "GenuineIntel")

"""Linear layers and attention against torch's own, forwards and backwards."""

import copy
import platform

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lerobot.policies.networks import linear as module
from lerobot.policies.networks.linear import Attention, Linear, linear


@pytest.fixture(autouse=True, params=[False, True])
def intel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """On processors of either maker, whatever this one is."""
    monkeypatch.setattr(module, "_intel", lambda: request.param)
    return bool(request.param)


def close(found: Tensor, expected: Tensor) -> bool:
    """Both kinds of products round, each in its own order."""
    return bool((found - expected).abs().max() <= 1e-5 * expected.abs().max())


@pytest.mark.parametrize("shape", [(40, 24), (7, 5, 24), (3, 24), (2, 3, 4, 24), (4, 1024), (2, 20, 1024)])
@pytest.mark.parametrize("with_bias", [True, False])
def test_values_and_gradients_are_those_of_torch(shape: tuple[int, ...], with_bias: bool) -> None:
    outputs = 12 if shape[-1] < 1024 else 1024
    torch.manual_seed(0)
    results = []
    for function in (linear, F.linear):
        torch.manual_seed(1)
        tokens = torch.randn(shape, requires_grad=True)
        weight = torch.randn(outputs, shape[-1], requires_grad=True)
        bias = torch.randn(outputs, requires_grad=True) if with_bias else None
        result = function(tokens, weight, bias)
        result.square().sum().backward()
        results.append([result, tokens.grad, weight.grad, *([] if bias is None else [bias.grad])])
    assert all(close(found, expected) for found, expected in zip(*results, strict=True))


def test_tokens_in_another_order_of_memory_are_multiplied_alike() -> None:
    tokens, weight = torch.randn(24, 40).T, torch.randn(24, 12).T
    assert close(linear(tokens, weight, None), F.linear(tokens, weight))


def test_the_same_without_gradients() -> None:
    tokens, weight, bias = torch.randn(2, 20, 1024), torch.randn(1024, 1024), torch.randn(1024)
    with torch.no_grad():
        assert close(linear(tokens, weight, bias), F.linear(tokens, weight, bias))
        assert close(linear(tokens, weight, None), F.linear(tokens, weight))


def test_what_needs_no_gradient_gets_none() -> None:
    layer, tokens = Linear(8, 8), torch.randn(32, 8)
    layer.weight.requires_grad_(False)
    layer(tokens).sum().backward()
    assert layer.weight.grad is None
    assert layer.bias.grad is not None
    assert torch.equal(layer.bias.grad, torch.full((8,), 32.0))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("itself", [True, False])
def test_attention_is_that_of_torch(training: bool, itself: bool) -> None:
    """With dropout too: the same random numbers in the same places."""
    torch.manual_seed(0)
    reference = nn.MultiheadAttention(16, 4, dropout=0.3).train(training)
    ours = Attention(16, 4, 0.3).train(training)
    ours.load_state_dict(copy.deepcopy(reference.state_dict()))
    key, value = torch.randn(9, 3, 16), torch.randn(9, 3, 16)
    query = key if itself else torch.randn(6, 3, 16)
    padding = torch.zeros(3, 9, dtype=torch.bool)
    padding[0, 4:] = True
    torch.manual_seed(2)
    expected, _ = reference(query, key, value, key_padding_mask=padding, need_weights=True)
    torch.manual_seed(2)
    found = ours(query, key, value, padding)
    assert close(found, expected)
    for result in (expected, found):
        result.square().sum().backward()
    gradients = zip(ours.parameters(), reference.parameters(), strict=True)
    assert all(close(one.grad, two.grad) for one, two in gradients)


def test_attention_begins_as_torchs_does() -> None:
    """Parameters in the same order, for optimizer states know them by place, and with the same first values."""
    torch.manual_seed(4)
    reference = nn.MultiheadAttention(16, 4)
    torch.manual_seed(4)
    ours = Attention(16, 4)
    pairs = zip(ours.named_parameters(), reference.named_parameters(), strict=True)
    assert all(one[0] == two[0] and torch.equal(one[1], two[1]) for one, two in pairs)


def test_mixed_precision_and_other_types_are_left_to_torch() -> None:
    layer, tokens = Linear(32, 32), torch.randn(64, 32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(tokens).dtype == torch.bfloat16
    assert layer.double()(tokens.double()).dtype == torch.float64


def test_an_exported_network_has_torchs_own_layers() -> None:
    layers, inputs = nn.Sequential(Linear(32, 32)), (torch.randn(64, 32),)
    program = torch.export.export(layers, inputs, strict=False)
    called = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
    assert called == {"aten.linear.default"}


def test_where_torch_has_no_onednn_its_own_product_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Tensor) -> Tensor:
        raise AssertionError("there is no such operator")

    monkeypatch.setattr(module, "_there", lambda: False)
    monkeypatch.setattr(module, "_multiply", fail)
    tokens, weight = torch.randn(64, 32), torch.randn(8, 32)
    assert torch.equal(linear(tokens, weight, None), F.linear(tokens, weight))


@pytest.mark.skipif(not module._there(), reason="torch has no oneDNN here")
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
    rows: int, width: int, makers: list[bool], wide: bool, intel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """oneDNN: on Intel's few rows by large weights, the weight on the left; on others many rows, with AVX-512."""
    calls, own = [], module._multiply
    monkeypatch.setattr(module, "_wide", lambda: wide)
    monkeypatch.setattr(module, "_multiply", lambda *given: calls.append(given[0] is weight) or own(*given))
    tokens, weight = torch.randn(rows, width), torch.randn(1024, width)
    assert close(linear(tokens, weight, None), F.linear(tokens, weight))
    assert calls == [maker for maker in makers if maker == intel and (intel or wide)]


def test_one_token_alone_and_tokens_of_nothing() -> None:
    token, weight, nothing = torch.randn(1024), torch.randn(1024, 1024), torch.randn(3, 0)
    assert close(linear(token, weight, None), F.linear(token, weight))
    assert linear(nothing, weight[:, :0], None).abs().sum() == 0


@pytest.mark.parametrize("maker", ["GenuineIntel", "AuthenticAMD"])
@pytest.mark.parametrize("system", ["Linux", "Windows"])
def test_the_maker_is_told_on_every_system(maker: str, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(module.Path, "exists", lambda _: system == "Linux")
    monkeypatch.setattr(module.Path, "read_text", lambda _: f"vendor_id : {maker}")
    monkeypatch.setattr(platform, "processor", lambda: f"Family 6 Model 142, {maker}")
    assert module._intel.__wrapped__() == (maker == "GenuineIntel")

"""Weights are loaded once: into networks built without any, in the type that is asked for, under the policy's names."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from lerobot.core.errors import CheckpointError
from lerobot.policies import devices
from lerobot.policies.assembly import make_policy
from lerobot.policies.checkpoint.skeleton import without_weights
from lerobot.policies.checkpoint.weights import DTYPES, Weights, load_weights, read_weights, save_weights
from lerobot.policies.features import PolicyFeature
from lerobot.policies.policy import PreTrainedPolicy


@pytest.fixture
def saved(tmp_path: Path, config: Any) -> Path:
    config.build().save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


class Network(nn.Module):
    """Every way in which tensors come into a module."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.frozen = nn.Parameter(torch.randn(3), requires_grad=False)
        shared = nn.Parameter(torch.randn(3))
        self.first, self.second = shared, shared
        self.listed = nn.ParameterList([torch.zeros(2), self.frozen])
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("table", torch.arange(4.0))
        self.register_buffer("unsaved", torch.linspace(0, 1, 5), persistent=False)
        self.plain = torch.arange(3.0)


# --- networks without weights ----------------------------------------------------------------------------------------


def test_parameters_are_on_meta_and_everything_else_is_made() -> None:
    with without_weights():
        module = Network()
    assert all(parameter.is_meta for parameter in module.parameters())
    assert torch.equal(module.unsaved, torch.linspace(0, 1, 5))
    assert torch.equal(module.plain, torch.arange(3.0))
    assert not any(buffer.is_meta for buffer in module.buffers())
    assert not module.frozen.requires_grad
    assert module.first is module.second
    assert not any(parameter.is_meta for parameter in Network().parameters())


def test_another_thread_builds_as_always() -> None:
    with without_weights():
        built: list[Network] = []
        thread = threading.Thread(target=lambda: built.append(Network()))
        thread.start()
        thread.join()
    assert not any(parameter.is_meta for parameter in built[0].parameters())


def test_a_loaded_network_is_the_one_that_was_saved(tmp_path: Path) -> None:
    module = Network()
    save_weights(module, tmp_path / "weights")
    with without_weights():
        loaded = Network()
    load_weights(loaded, tmp_path / "weights")
    assert loaded.first is loaded.second
    assert loaded.listed[1] is loaded.frozen
    assert not loaded.frozen.requires_grad
    state = loaded.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in module.state_dict().items())


def test_what_was_computed_of_weights_is_refused(tmp_path: Path) -> None:
    class Computed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)
            self.register_buffer("norm", self.layer.weight.detach().norm(), persistent=False)

    save_weights(Computed(), tmp_path / "weights")
    with without_weights():
        loaded = Computed()
    with pytest.raises(CheckpointError, match="weights that were not there yet: norm"):
        load_weights(loaded, tmp_path / "weights")


def test_a_file_that_changes_later_changes_nothing(tmp_path: Path) -> None:
    tensors = {name: torch.full((4,), float(number)) for number, name in enumerate("abc")}
    save_file(tensors, tmp_path / "weights")
    read, _ = read_weights(tmp_path / "weights", lambda name: name != "b")
    with (tmp_path / "weights").open("r+b") as file:
        file.write(bytes((tmp_path / "weights").stat().st_size))
    assert set(read) == {"a", "c"}
    assert all(torch.equal(read[name], tensors[name]) for name in read)


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_every_type_is_read_as_its_library_reads_it(tmp_path: Path, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    save_file({"a": torch.ones(1), "b": (torch.rand(shape) * 9).to(dtype)}, tmp_path / "weights")
    read, _ = read_weights(tmp_path / "weights")
    for name, expected in load_file(tmp_path / "weights").items():
        assert read[name].dtype == expected.dtype
        assert read[name].shape == expected.shape
        assert torch.equal(read[name].double(), expected.double())


@pytest.mark.parametrize(
    "changed", [{"shape": [2, 3]}, {"data_offsets": [-4, 4]}, {"dtype": "F32X"}, {"shape": None}, {"data_offsets": [8]}]
)
def test_a_header_that_contradicts_itself_is_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    entries = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changed}}
    header = json.dumps({**entries, "b": {"dtype": "F32", "shape": [0], "data_offsets": [8, 8]}}).encode()
    (tmp_path / "weights").write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    with pytest.raises(CheckpointError, match="weights cannot be read"):
        read_weights(tmp_path / "weights")


# --- names and types -------------------------------------------------------------------------------------------------


def test_published_names_are_the_policys_before_they_are_compared(saved: Path, config: Any, monkeypatch: Any) -> None:
    policy = PreTrainedPolicy.from_pretrained(saved)
    path = saved / "model.safetensors"
    save_file({f"model.{name}": tensor for name, tensor in load_file(path).items()}, path)
    with pytest.raises(CheckpointError, match=r"lacks layer\.bias"):
        PreTrainedPolicy.from_pretrained(saved)

    def published(self: Any, weights: Any) -> Any:
        named = {name.removeprefix("model."): tensor for name, tensor in weights.items()}
        return {**named, "tied.weight": named["layer.weight"]}

    monkeypatch.setattr(type(policy), "published", published)
    assert torch.equal(PreTrainedPolicy.from_pretrained(saved).layer.weight, policy.layer.weight)
    monkeypatch.setattr(type(policy), "published", lambda *_: {**published(*_), "more": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="does not have: more"):
        PreTrainedPolicy.from_pretrained(saved)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_weights_have_the_type_that_is_asked_for(saved: Path, config: Any, dtype: str) -> None:
    exact = PreTrainedPolicy.from_pretrained(saved)
    asked = config.model_copy(update={"dtype": dtype})
    policy = PreTrainedPolicy.from_pretrained(saved, config=asked)
    assert torch.equal(policy.layer.weight, exact.layer.weight.to(getattr(torch, dtype)))
    assert policy.tied.weight is policy.layer.weight
    new = make_policy(asked, {**config.input_features, **config.output_features})
    assert {parameter.dtype for parameter in new.parameters()} == {getattr(torch, dtype)}


def test_a_file_of_few_bits_fills_the_type_that_is_declared(saved: Path) -> None:
    path = saved / "model.safetensors"
    tensors = {name: tensor.bfloat16() for name, tensor in load_file(path).items()}
    save_file(tensors, path, {"tied.weight": "layer.weight"})
    policy = PreTrainedPolicy.from_pretrained(saved)
    assert policy.layer.weight.dtype == torch.float32
    assert torch.equal(policy.layer.weight, tensors["layer.weight"].float())


@pytest.mark.parametrize(("dtype", "written"), [(None, False), ("bfloat16", True)])
def test_only_a_type_that_was_asked_for_is_written(tmp_path: Path, config: Any, dtype: Any, written: bool) -> None:
    config.model_copy(update={"dtype": dtype}).build().save_pretrained(tmp_path)
    assert ("dtype" in json.loads((tmp_path / "config.json").read_text())) is written


@pytest.mark.parametrize(
    ("changed", "computed"),
    [({}, torch.float32), ({"use_amp": True}, torch.bfloat16), ({"dtype": "float16"}, torch.float16)],
)
def test_a_policy_computes_in_the_precision_its_configuration_asks_for(
    saved: Path, config: Any, observation: Any, changed: Any, computed: torch.dtype
) -> None:
    policy = PreTrainedPolicy.from_pretrained(saved, config=config.model_copy(update=changed))
    batch = {key: value[None] for key, value in observation.items()}
    with policy.precision(), torch.no_grad():
        assert policy.predict_action_chunk(batch).dtype == computed
    assert not torch.is_autocast_enabled("cpu")


# --- memory ----------------------------------------------------------------------------------------------------------

MEASURED = """
import sys
from conftest import TinyConfig
from lerobot.core.registry import registry
from lerobot.policies.policy import PreTrainedPolicy

def peak():  # of this program alone: that of `resource` begins with its parent's
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))

registry.register("policy", "tiny", TinyConfig)
PreTrainedPolicy.from_pretrained(sys.argv[1])  # imports, and what torch needs for the first time
before = peak()
policy = PreTrainedPolicy.from_pretrained(sys.argv[2])
print((peak() - before) / sum(each.nbytes for each in policy.parameters()))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="tells how much memory was used at most; on Linux")
@pytest.mark.parametrize("states", [8_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_loading_needs_the_memory_of_the_weights_once(saved: Path, tmp_path: Path, config: Any, states: int) -> None:
    """64 MB of weights, or 800 MB."""
    state, action = ((states,), (2_000,))
    features = {
        "input_features": {**config.input_features, "observation.state": PolicyFeature(type="STATE", shape=state)},
        "output_features": {"action": PolicyFeature(type="ACTION", shape=action)},
    }
    config.model_copy(update=features).build().save_pretrained(tmp_path / "wide")
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, str(saved), str(tmp_path / "wide")],
        cwd=Path(__file__).parent, capture_output=True, text=True, check=True, timeout=240,
    )  # fmt: skip
    assert float(run.stdout) <= 1.15


def test_the_device_is_told_once_however_many_ask(caplog: pytest.LogCaptureFixture) -> None:
    devices._tell.cache_clear()
    with caplog.at_level("INFO"):
        for _ in range(3):
            devices.choose_device(None)
    assert [record.getMessage().split(",")[0] for record in caplog.records] == [f"device: {devices.best_device()}"]


def test_each_tensor_goes_where_it_is_needed_before_the_next_one_is_read(saved: Path) -> None:
    seen: list[torch.Tensor] = []

    def placed(_: str, tensor: torch.Tensor) -> torch.Tensor:
        seen.append(tensor)
        return tensor.to(torch.bfloat16)

    tensors, _ = read_weights(saved / "model.safetensors", placed=placed)
    assert len(seen) == len(tensors)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.bfloat16}


def test_a_tensor_has_the_type_that_the_module_declares_as_soon_as_it_is_read(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(3, 3).bfloat16(), nn.Linear(3, 3))
    weights = {f"old.{name}": tensor.float() for name, tensor in module.state_dict().items()}
    save_file(weights, tmp_path / "weights")
    given = []

    def published(weights: Weights) -> Weights:
        given.append({name: tensor.dtype for name, tensor in weights.items()})
        return {name.removeprefix("old."): tensor for name, tensor in weights.items()}

    load_weights(module, tmp_path / "weights", published)
    assert given[-1] == {f"old.{name}": tensor.dtype for name, tensor in module.state_dict().items()}
    assert module[0].weight.dtype is torch.bfloat16


# --- progress --------------------------------------------------------------------------------------------------------

SHOWN = """
import sys
from pathlib import Path
from lerobot.policies.checkpoint import progress
from lerobot.policies.checkpoint.weights import read_weights
for large in sys.argv[2:]:
    progress.LARGE = int(large)
    read_weights(Path(sys.argv[1]))
    print("read" * sys.stderr.isatty(), end="", file=sys.stderr)
"""


def test_a_bar_is_shown_for_large_files_only(saved: Path) -> None:
    said = at_a_terminal([sys.executable, "-c", SHOWN, str(saved / "model.safetensors"), "1000000", "0"])
    assert said.startswith("read")
    assert "Loading saved/model.safetensors" in said


def test_no_bar_is_shown_where_nobody_waits(saved: Path) -> None:
    command = [sys.executable, "-c", SHOWN, str(saved / "model.safetensors"), "0"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout + run.stderr == ""


def at_a_terminal(command: list[str]) -> str:
    """What a program writes to standard error where that is a terminal."""
    ours, theirs = os.openpty()
    try:
        process = subprocess.Popen(command, stderr=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "120"})
        os.close(theirs)
        patience = threading.Timer(60, process.kill)
        patience.start()
        said = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux says so when the last one has closed the other side
                break
            if not part:
                break
            said += part
        assert process.wait() == 0
        patience.cancel()
    finally:
        os.close(ours)
    return said.decode()

"""Models that processes share: what is asked for is had or refused, and what is gathered at once.

That such a model learns as a whole one does is tested with real processes in `tests/integration`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from lerobot.core.config import load
from lerobot.core.errors import ConfigError, LeRobotError
from lerobot.policies.networks.decoder import GEMMA, Decoder
from lerobot.policies.networks.sizes import DecoderSize
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.training.config import FSDPConfig, ParallelismConfig
from lerobot.training.sharding.units import degrees, units


@pytest.mark.parametrize(
    ("fields", "processes", "expected"),
    [
        ({}, 1, (1, 1)),
        ({}, 4, (4, 1)),
        ({"dp_replicate": 4}, 4, (4, 1)),
        ({"dp_shard": 4}, 4, (1, 4)),
        ({"dp_shard": -1}, 4, (1, 4)),
        ({"dp_shard": -1}, 1, (1, 1)),
        ({"dp_shard": -1, "dp_replicate": 2}, 4, (2, 2)),
        ({"dp_shard": 3, "dp_replicate": 2}, 6, (2, 3)),
    ],
)
def test_degrees_are_those_of_the_processes(fields: Any, processes: int, expected: tuple[int, int]) -> None:
    assert degrees(ParallelismConfig(**fields), processes) == expected


@pytest.mark.parametrize(
    ("fields", "processes"),
    [({"dp_shard": 2}, 1), ({"dp_shard": 2}, 3), ({"dp_replicate": 2}, 4), ({"dp_shard": -1, "dp_replicate": 2}, 3)],
)
def test_other_numbers_of_processes_are_refused(fields: Any, processes: int) -> None:
    with pytest.raises(LeRobotError, match=f"is not the {processes} there") as caught:
        degrees(ParallelismConfig(**fields), processes)
    assert "--parallelism.dp_shard=-1" in caught.value.expected


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--parallelism.dp_shard=0"], "-1 for all"),
        (["--parallelism.dp_shard=2", "--accelerator.mixed_precision=fp16"], "fp16"),
        (["--parallelism.dp_shard=2", "--channels_last=true"], "channels_last"),
        (["--accelerator.fsdp.wrap_modules=[A]", "--accelerator.fsdp.min_num_params=3"], "not both"),
        (["--accelerator.fsdp.cpu_offload=true"], "not supported"),
        (["--parallelism.cfg_parallel=2"], "not supported"),
        (["--accelerator.activation_checkpointing.mode=half"], "full"),
    ],
)
def test_what_cannot_be_had_is_refused(arguments: Any, tmp_path: Path, flags: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(TrainPipelineConfig, arguments(tmp_path, *flags))


class TwoStreams(nn.Module):
    """Like a vision-language-action model: layers that are not called as such, some of few bits, and a head."""

    name = "two_streams"

    def __init__(self) -> None:
        super().__init__()
        size = DecoderSize(width=8, hidden=16, layers=2, heads=2, key_heads=1, head_width=4)
        self.large, self.small = Decoder(size, GEMMA), Decoder(size, GEMMA)
        for layer in self.large.stack:
            layer.mlp.to(torch.bfloat16)
        self.encoder = nn.ModuleList(nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8)) for _ in range(2))
        self.head, self.few = nn.Linear(8, 2), nn.Linear(8, 2, dtype=torch.bfloat16)

    def blocks(self) -> list[nn.Module]:
        from lerobot.policies.networks.blocks import blocks

        return blocks(self)


def names(policy: Any, config: FSDPConfig) -> list[set[str]]:
    known = {id(module): name for name, module in policy.named_modules()}
    return [{known[id(module)] for module in unit} for unit in units(policy, config)]


def test_layers_that_are_not_called_as_such_are_gathered_by_their_parts_type_by_type() -> None:
    policy = TwoStreams()
    found = names(policy, FSDPConfig())
    attention = {f"self_attn.{letter}_proj" for letter in "qkvo"}
    norms = {"input_layernorm", "post_attention_layernorm"}
    mlp = {f"mlp.{name}_proj" for name in ("gate", "up", "down")}
    for index in range(2):
        assert {f"large.layers.{index}.{name}" for name in attention | norms} in found
        assert {f"large.layers.{index}.{name}" for name in mlp} in found
        assert {f"small.layers.{index}.{name}" for name in attention | norms | mlp} in found
        assert {f"encoder.{index}"} in found
    # What is left over, the policy gathers, but for what has another type.
    assert found[-1] == {"few"}
    assert len(found) == 9


def test_units_are_chosen_by_name_or_size() -> None:
    policy: Any = TwoStreams()
    assert {"small"} in names(policy, FSDPConfig(wrap_modules=["Decoder"]))
    assert {"head"} in names(policy, FSDPConfig(wrap_modules=["Linear"]))
    # None is so large: the policy gathers everything, but for what is learned in another type.
    (few,) = names(policy, FSDPConfig(min_num_params=10**9))
    mlp = {f"large.layers.{index}.mlp.{name}_proj" for index in (0, 1) for name in ("gate", "up", "down")}
    assert few == {"few"} | mlp
    with pytest.raises(LeRobotError, match="names Nothing") as caught:
        units(policy, FSDPConfig(wrap_modules=["Nothing"]))
    assert caught.value.expected == "DecoderLayer, Sequential"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--accelerator.activation_checkpointing.mode=full"], "no blocks whose activations"),
        (["--accelerator.compile.enabled=true"], "no blocks that could be compiled"),
        (["--accelerator.compile.enabled=true", "--accelerator.compile.backend=gcc"], "no compiler here"),
        (["--parallelism.dp_shard=2"], "is not the 1 there"),
    ],
)
def test_what_this_policy_cannot_do_is_refused(
    train: Callable[..., Path], tmp_path: Path, flags: list[str], message: str
) -> None:
    with pytest.raises(LeRobotError, match=message):
        train(tmp_path / "run", "--steps=1", *flags)


def test_a_compiled_policy_learns_the_same(train: Callable[..., Path], tmp_path: Path) -> None:
    """By a compiler that rewrites nothing: what is tested is that it stands where the policy is called."""
    from safetensors.torch import load_file

    whole = ("--accelerator.compile.enabled=true", "--accelerator.compile.regional=false")
    calm = ("--steps=3", "--policy.noise=0")
    compiled = train(tmp_path / "compiled", *calm, *whole, "--accelerator.compile.backend=eager")
    plain = train(tmp_path / "plain", *calm)
    found, expected = (
        load_file(run / "checkpoints/last/pretrained_model/model.safetensors") for run in (compiled, plain)
    )
    assert found.keys() == expected.keys()
    assert all(torch.allclose(found[name], expected[name], atol=1e-6) for name in found)

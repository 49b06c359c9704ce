"""A training that an engine starts gets the same configuration, and is not handed on once more."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lerobot.core.config import load
from lerobot.core.registry import registry
from lerobot.jobs.config import ExecutorConfig
from lerobot.training.command import train_command
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.training.launch import is_launched

STARTED: list[tuple[list[str], int, int, Path]] = []


class Records:
    """An engine that only remembers what it was to start."""

    def __init__(self, config: ExecutorConfig) -> None:
        del config

    def launch(self, arguments: Sequence[str], *, nodes: int, processes_per_node: int, log_folder: Path) -> None:
        STARTED.append(([*arguments], nodes, processes_per_node, log_folder))


class RecordsConfig(ExecutorConfig):
    target: ClassVar[str] = f"{__name__}:Records"
    type: str = "records"

    def build(self, **dependencies: Any) -> Records:
        return Records(self)


@pytest.fixture(autouse=True)
def engine() -> None:
    STARTED.clear()
    registry.register("executor", "records", RecordsConfig)


def started(flags: Sequence[str]) -> TrainPipelineConfig:
    """Run the command, and read what the engine was given."""
    assert train_command(load(TrainPipelineConfig, [*flags, "--executor.type=records"]).config) == 0
    name, *words = STARTED[-1][0]
    assert name == "train"
    return load(TrainPipelineConfig, words).config


def test_an_engine_gets_the_same_configuration(arguments: Any, tmp_path: Path) -> None:
    more = (
        "--policy.width=8",
        "--policy.lr=0.5",
        "--optimizer.type=sgd",
        "--dataset.episodes=[0, 2]",
        "--ema.enable=true",
        "--parallelism.dp_shard=-1",
        "--rename_map={a: b}",
    )
    size = ("--launch.nodes=2", "--launch.processes_per_node=4", f"--launch.log_folder={tmp_path}/logs")
    flags = arguments(tmp_path / "run", *more)
    found = started([*flags, *size])
    assert STARTED[-1][1:] == (2, 4, tmp_path / "logs")
    assert found.model_dump() == load(TrainPipelineConfig, flags).config.model_dump()
    assert not (tmp_path / "run").exists()


def test_a_run_goes_on_elsewhere(train: Callable[..., Path], tmp_path: Path) -> None:
    run = train(tmp_path / "run", "--steps=2", "--save_freq=1")
    config = f"--config_path={run}/checkpoints/000001/pretrained_model/train_config.json"
    found = started([config, "--resume=true", "--steps=3", f"--launch.log_folder={tmp_path}/logs"])
    assert found.resume
    assert found.steps == 3
    from lerobot.training.resume import resumption

    assert resumption(found).checkpoint == run / "checkpoints/000001"


def test_a_process_of_an_engine_trains(arguments: Any, tmp_path: Path) -> None:
    config = load(TrainPipelineConfig, arguments(tmp_path, "--executor.type=records")).config
    assert is_launched(config, {})
    assert not is_launched(config, {"RANK": "0"})
    assert not is_launched(load(TrainPipelineConfig, arguments(tmp_path)).config, {})

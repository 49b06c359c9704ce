"""What a run changes in its process: nothing that outlives it, unless the process is the command's."""

import logging
import os
import signal
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState

from lerobot.training import command
from lerobot.training.checkpoints import random_state
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.training.torch_settings import torch_settings

Train = Callable[..., Path]


@pytest.mark.parametrize("deterministic", [True, False])
def test_gpus_multiply_as_they_do_for_the_peer_while_a_run_lasts(deterministic: bool) -> None:
    def found() -> tuple[bool, ...]:
        cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
        return cudnn.benchmark, cudnn.deterministic, products.allow_tf32

    before = found()
    seen = []

    def fail() -> None:
        with torch_settings(deterministic=deterministic):
            seen.append(found())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen == [(not deterministic, deterministic, True)]
    assert found() == before


def process_state() -> dict[str, object]:
    """What a run could leave behind in its process."""
    return {
        # torch notes where it would compile, when that part of it is first imported.
        **{f"${name}": value for name, value in os.environ.items() if name != "TORCHINDUCTOR_CACHE_DIR"},
        "signals": [signal.getsignal(each) for each in signal.valid_signals()],
        "random": {name: each.tolist() for name, each in random_state.capture().items()},
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "dtype": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "products": (torch.get_float32_matmul_precision(), torch.backends.cuda.matmul.allow_tf32),
        "cudnn": (torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "log": (logging.getLogger().level, list(logging.getLogger().handlers)),
        "warnings": list(warnings.filters),
        "folder": Path.cwd(),
    }


def test_a_run_leaves_its_process_as_it_was(train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a notebook, whose next cell must not draw the run's numbers or multiply in its precision."""
    monkeypatch.setattr("lerobot.training.command.keep_freed_memory", lambda: pytest.fail("only the command may"))
    # Parts of torch that are imported at the first step add filters of warnings; that is not the run's doing.
    train(tmp_path / "first", "--steps=1", "--save_checkpoint=false")
    torch.manual_seed(5)
    before = process_state()
    train(tmp_path / "run", "--steps=1", "--cudnn_deterministic=true", "--save_checkpoint=false")
    after = process_state()
    changed = {
        name: (before.get(name), after.get(name)) for name in before | after if before.get(name) != after.get(name)
    }
    assert changed == {}


def test_an_accelerator_of_the_notebook_is_still_its_own(train: Train, tmp_path: Path) -> None:
    """The accelerate library has one state per process, in which a run would meet the precision of another."""
    kinds = (PartialState, AcceleratorState, GradientState)
    before = [dict(kind._shared_state) for kind in kinds]
    try:
        own = Accelerator(cpu=True, mixed_precision="bf16", gradient_accumulation_steps=3)
        train(tmp_path / "run", "--steps=1", "--save_checkpoint=false")
        assert own.mixed_precision == AcceleratorState().mixed_precision == "bf16"
        assert own.gradient_accumulation_steps == 3
    finally:
        for kind, state in zip(kinds, before, strict=True):
            kind._shared_state.clear()
            kind._shared_state.update(state)


def test_the_command_keeps_freed_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    config = SimpleNamespace(policy=SimpleNamespace(device="cpu"), executor=None)
    monkeypatch.setattr(command, "keep_freed_memory", lambda: calls.append("kept"))
    monkeypatch.setattr(command, "train", lambda given: calls.append(given) or 130)
    assert command.train_command(config) == 130  # type: ignore[arg-type] # what is read of it
    assert calls == ["kept", config]
    assert TrainPipelineConfig.target == "lerobot.training.command:train_command"

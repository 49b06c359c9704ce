"""Policies that several processes hold together learn what whole ones learn, and go on in any number of processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from small_training import ACT, column, losses, states, write

from lerobot.core.cli.run import run_command
from lerobot.policies.checkpoint.shards import described, load_shards

HERE = Path(__file__).parent
SHARED = "--parallelism.dp_shard=-1"
CALM = ("--policy.use_vae=false", "--policy.dropout=0")
"""Without random numbers, which differ from process to process."""


@pytest.fixture(scope="session")
def moves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ACT can learn from without a picture."""
    return write(tmp_path_factory.mktemp("shared") / "moves", {"observation.environment_state": (5,)})


@pytest.fixture
def flags(moves: Path) -> Callable[..., list[str]]:
    """Flags of a short run; of two equal ones the last holds."""

    def make(output: Path, *more: str) -> list[str]:
        given = [
            f"--dataset.root={moves}",
            "--dataset.repo_id=test/moves",
            f"--output_dir={output}",
            "--policy.device=cpu",
            "--policy.push_to_hub=false",
            "--num_workers=0",
            "--batch_size=2",
            "--log_freq=1",
            "--steps=4",
            "--save_freq=2",
            *more,
        ]
        return list({flag.partition("=")[0]: flag for flag in given}.values())

    return make


def go_on(run: Path, step: int, *more: str) -> list[str]:
    """Flags of a run that goes on."""
    config = run / f"checkpoints/{step:06}/pretrained_model/train_config.json"
    return [f"--config_path={config}", "--resume=true", *more]


def start(processes: int, *runs: Sequence[str]) -> "subprocess.Popen[str]":
    """Begin to train one after the other, in so many processes, which end together."""
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(HERE / "run_shared.py"), str(processes), json.dumps(runs)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ, start_new_session=True
    )


def train(processes: int, *runs: Sequence[str]) -> None:
    """Train one after the other, in so many processes."""
    with start(processes, *runs) as started:
        try:
            output, _ = started.communicate(timeout=280)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            raise
    assert started.returncode == 0, output


def read_parts(folder: Path) -> dict[str, torch.Tensor]:
    """What processes wrote together, as a whole."""
    tensors = {name: torch.empty_like(each, device="cpu") for name, each in described(folder).items()}
    load_shards(tensors, folder)
    return tensors


def largest_difference(first: Path, second: Path, file: str) -> float:
    """Of any number of a file in two checkpoints, which hold the same tensors."""
    mine, other = load_file(first / file), load_file(second / file)
    assert mine.keys() == other.keys()
    return max(float(np.abs(mine[name].astype(np.float64) - other[name]).max()) for name in mine)


def assert_learned_the_same(shared: Path, whole: Path, *files: str) -> None:
    assert losses(shared) == pytest.approx(losses(whole), abs=1e-5)
    last = "checkpoints/last"
    for file in files:
        assert largest_difference(shared / last, whole / last, file) < 1e-5


MODEL, AVERAGED = "pretrained_model/model.safetensors", "pretrained_model_ema/model.safetensors"


def test_a_shared_policy_learns_what_a_whole_one_does(flags: Callable[..., list[str]], tmp_path: Path) -> None:
    """Losses, clipped gradients, weights, moments, an average, and what it is validated on."""
    clipped = ("--optimizer.type=adamw", "--optimizer.lr=1e-3", "--optimizer.grad_clip_norm=0.2")
    held_out = ("--dataset.eval_split=0.3", "--eval_steps=2", "--max_eval_samples=5")
    more = (*ACT, *clipped, "--ema.enable=true", *held_out)
    train(2, flags(tmp_path / "whole", *more), flags(tmp_path / "shared", *more, SHARED))
    optimizer = "training_state/optimizer_state.safetensors"
    assert_learned_the_same(tmp_path / "shared", tmp_path / "whole", MODEL, AVERAGED, optimizer)
    norms = [column(tmp_path / name, "grad_norm") for name in ("shared", "whole")]
    assert norms[0] == pytest.approx(norms[1], rel=1e-5)
    assert min(norms[1]) > 0.2
    assert losses(tmp_path / "shared")[0] != losses(tmp_path / "shared")[-1]
    whole, shared = (states(tmp_path / name / "checkpoints/last") for name in ("whole", "shared"))
    assert whole.keys() == shared.keys()
    steps = [json.loads(each["training_state/training_step.json"]) for each in (whole, shared)]
    assert [each["parallelism"]["dp_shard"] for each in steps] == [1, 2]
    assert steps[0]["best_validation_loss"] == pytest.approx(steps[1]["best_validation_loss"], abs=1e-5)


@pytest.mark.slow
def test_it_goes_on_to_the_same_bits(flags: Callable[..., list[str]], tmp_path: Path) -> None:
    """Weights, moments, schedule, average and random states of both processes."""
    schedule = ("--scheduler.type=diffuser", "--scheduler.num_warmup_steps=2")
    more = (*ACT, "--ema.enable=true", *schedule, SHARED, "--steps=5", "--save_freq=3")
    train(2, flags(tmp_path / "run", *more))
    whole = states(tmp_path / "run/checkpoints/000005")
    train(2, go_on(tmp_path / "run", 3))
    assert states(tmp_path / "run/checkpoints/000005") == whole
    assert "training_state/rng_state_rank_1.safetensors" in whole


@pytest.mark.slow
def test_it_goes_on_in_one_process_and_in_two_again(flags: Callable[..., list[str]], tmp_path: Path) -> None:
    """As a run does whose processes each hold all of it."""
    more = (*ACT, *CALM, "--ema.enable=true", "--steps=2")
    runs = tmp_path / "run", tmp_path / "whole"
    train(2, flags(runs[0], *more, SHARED), flags(runs[1], *more))
    train(1, *(go_on(run, 2, "--steps=4", "--batch_size=4") for run in runs))
    train(2, *(go_on(run, 4, "--steps=6", "--batch_size=2") for run in runs))
    for file in (MODEL, AVERAGED, "training_state/optimizer_state.safetensors"):
        assert largest_difference(*(run / "checkpoints/last" for run in runs), file) < 1e-5


@pytest.mark.slow
def test_groups_of_processes_that_share_a_policy(flags: Callable[..., list[str]], tmp_path: Path) -> None:
    """Two groups of two, with gradients gathered over two batches."""
    # Adam makes much of gradients that are next to nothing, where four processes round each in another order.
    plain = ("--optimizer.type=sgd", "--optimizer.lr=0.01")
    more = (*ACT, *plain, "--accelerator.gradient_accumulation.steps=2")
    groups = (SHARED, "--parallelism.dp_replicate=2")
    train(4, flags(tmp_path / "whole", *more), flags(tmp_path / "shared", *more, *groups))
    assert_learned_the_same(tmp_path / "shared", tmp_path / "whole", MODEL)


@pytest.mark.slow
def test_an_adapter_of_a_shared_policy(flags: Callable[..., list[str]], tmp_path: Path) -> None:
    pytest.importorskip("peft")
    train(1, flags(tmp_path / "base", *ACT))
    base = f"--policy.path={tmp_path / 'base/checkpoints/last/pretrained_model'}"
    more = (base, "--peft.r=2", "--peft.target_modules=[linear1, linear2]")
    shared = [*flags(tmp_path / "shared", *more, SHARED)]
    train(2, flags(tmp_path / "whole", *more), shared)
    train(2, go_on(tmp_path / "shared", 2, "--steps=4"))
    assert_learned_the_same(tmp_path / "shared", tmp_path / "whole", "pretrained_model/adapter_model.safetensors")
    assert not (tmp_path / "shared/checkpoints/last" / MODEL).exists()


@pytest.mark.slow
def test_a_vision_language_action_model(flags: Callable[..., list[str]], tmp_path: Path) -> None:
    """Its layers look at each other in pairs; with what fills the memory computed again, and without."""
    sys.path.insert(0, str(HERE.parents[1] / "packages/lerobot-smolvla/tests"))
    from tiny_smolvlm import write_tiny_smolvlm

    write_tiny_smolvlm(tmp_path / "vlm")
    data = write(tmp_path / "seen", {"observation.images.top": (24, 32, 3)})
    more = (
        f"--dataset.root={data}",
        "--policy.type=smolvla",
        f"--policy.vlm_model_name={tmp_path / 'vlm'}",
        "--policy.num_vlm_layers=4",
        "--policy.chunk_size=4",
        "--policy.n_action_steps=4",
        "--policy.max_state_dim=8",
        "--policy.max_action_dim=8",
        "--policy.resize_imgs_with_padding=[32, 32]",
        "--policy.tokenizer_max_length=16",
        "--policy.load_vlm_weights=false",
        "--policy.train_expert_only=false",
        "--policy.freeze_vision_encoder=false",
        "--policy.optimizer_lr=1e-3",
        "--policy.scheduler_warmup_steps=1",
    )
    again = "--accelerator.activation_checkpointing.mode=full"
    train(
        2,
        flags(tmp_path / "whole", *more),
        flags(tmp_path / "shared", *more, SHARED),
        flags(tmp_path / "again", *more, SHARED, again),
        flags(tmp_path / "whole_again", *more, again),
    )
    for name in ("shared", "again", "whole_again"):
        assert_learned_the_same(tmp_path / name, tmp_path / "whole", MODEL)


@pytest.mark.slow
def test_compiled_it_learns_the_same(flags: Callable[..., list[str]], tmp_path: Path) -> None:
    """By torch's own compiler, which rounds otherwise; whole, shared, and with blocks computed again."""
    compiled = "--accelerator.compile.enabled=true"
    again = "--accelerator.activation_checkpointing.mode=full"
    more = (*ACT, *CALM)
    train(
        2,
        flags(tmp_path / "whole", *more),
        flags(tmp_path / "compiled", *more, compiled),
        flags(tmp_path / "shared", *more, compiled, SHARED),
        flags(tmp_path / "again", *more, compiled, SHARED, again),
    )
    for name in ("compiled", "shared", "again"):
        assert losses(tmp_path / name) == pytest.approx(losses(tmp_path / "whole"), abs=1e-5)


@pytest.mark.slow
def test_parts_are_the_whole(flags: Callable[..., list[str]], tmp_path: Path) -> None:
    """Written by each process, they go on to the same bits, in one process as well, and make the same policy."""
    more = (*ACT, "--ema.enable=true", "--optimizer.type=adamw", SHARED)
    train(
        2,
        flags(tmp_path / "whole", *more),
        flags(tmp_path / "parts", *more, "--checkpoint_format=dcp"),
        go_on(tmp_path / "parts", 2, "--steps=4"),
    )
    whole, parts = tmp_path / "whole/checkpoints", tmp_path / "parts/checkpoints"
    assert not (parts / "000002" / MODEL).exists()
    assert len(list((parts / "000002/training_state/optimizer_shards").glob("*.safetensors"))) == 2
    # The last one is whole too.
    for file in (MODEL, AVERAGED):
        assert (parts / "000004" / file).read_bytes() == (whole / "000004" / file).read_bytes()
    losses_after = losses(tmp_path / "parts")[-2:]
    assert losses_after == losses(tmp_path / "whole")[-2:]

    shutil.copytree(parts / "000002", tmp_path / "before")
    assert run_command("convert-dcp", [f"--checkpoint_dir={tmp_path}/before", f"--output_dir={tmp_path}/policy"]) == 0
    assert run_command("convert-dcp", [f"--checkpoint_dir={tmp_path}/before", "--delete_dcp=true"]) == 0
    for file in (MODEL, AVERAGED):
        assert (tmp_path / "before" / file).read_bytes() == (whole / "000002" / file).read_bytes()
    expected = states(whole / "000002/pretrained_model")
    assert states(tmp_path / "policy") == states(tmp_path / "before/pretrained_model") == expected

    # In one process, which holds everything, from the parts and from the whole.
    train(1, *(go_on(tmp_path / name, 2, "--steps=3", "--batch_size=4") for name in ("parts", "whole")))
    for file in (MODEL, AVERAGED, "training_state/optimizer_state.safetensors"):
        assert (parts / "000003" / file).read_bytes() == (whole / "000003" / file).read_bytes()


@pytest.mark.slow
def test_a_kill_while_parts_are_written_leaves_the_former_checkpoint(
    flags: Callable[..., list[str]], tmp_path: Path
) -> None:
    more = (*ACT, SHARED, "--checkpoint_format=dcp", "--steps=400", "--save_freq=1", "--log_freq=100")
    checkpoints = tmp_path / "run/checkpoints"
    with start(2, flags(tmp_path / "run", *more)) as running:
        while not list(checkpoints.glob(".writing/*[2-9]/pretrained_model/shards/*")):
            assert running.poll() is None, running.communicate()[0]
            time.sleep(0.001)
        os.killpg(running.pid, signal.SIGKILL)
    last = (checkpoints / "last").resolve()
    step = int(last.name)
    assert described(last / "pretrained_model/shards")
    assert described(last / "training_state/optimizer_shards")
    train(
        2,
        go_on(tmp_path / "run", step, f"--steps={step + 2}"),
        flags(tmp_path / "whole", *more, f"--steps={step + 2}", "--save_freq=0"),
    )
    ended, whole = (tmp_path / name / "checkpoints/last" for name in ("run", "whole"))
    # The order of tensors inside of a part is torch's affair.
    found, expected = (
        {name: content for name, content in states(each).items() if "shards/shard-" not in name}
        for each in (ended, whole)
    )
    assert found == expected
    assert MODEL in found
    for parts in ("pretrained_model/shards", "training_state/optimizer_shards"):
        mine, other = read_parts(ended / parts), read_parts(whole / parts)
        assert mine.keys() == other.keys()
        assert all(torch.equal(mine[name], other[name]) for name in mine)
    assert not list(checkpoints.glob(".*"))


def test_the_script_for_slurm_starts_it(
    flags: Callable[..., list[str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    engine = ("--executor.type=slurm", "--executor.submit=false", "--executor.gpus=2")
    size = ("--launch.nodes=3", "--launch.processes_per_node=2", f"--launch.log_folder={tmp_path}/logs")
    assert run_command("train", flags(tmp_path / "run", *ACT, *engine, *size)) == 0
    script = (tmp_path / "logs/train.sbatch").read_text()
    assert "#SBATCH --nodes=3" in script
    assert f"--config_path={tmp_path}/logs/train_config.json" in script
    assert f"sbatch {tmp_path}/logs/train.sbatch" in caplog.text
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_processes_of_an_engine_share_a_policy(flags: Callable[..., list[str]], tmp_path: Path) -> None:
    size = ("--launch.processes_per_node=2", f"--launch.log_folder={tmp_path}/logs")
    words = flags(tmp_path / "run", *ACT, SHARED, "--executor.type=local", *size)
    command = [sys.executable, "-m", "lerobot_cli", "train", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    last = tmp_path / "run/checkpoints/last"
    assert json.loads((last / "training_state/training_step.json").read_text())["parallelism"]["dp_shard"] == 2
    assert (last / MODEL).exists()

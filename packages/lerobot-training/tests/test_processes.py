"""Runs in processes of their own: killed, interrupted, several at once, and launchers that start too few."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.errors import LeRobotError
from lerobot.training.processes import check_launched

States = Callable[[Path], dict[str, bytes]]
HERE = Path(__file__).parent
ENVIRON = {**os.environ, "PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default"}
LAUNCHED = (str(HERE / "run_train.py"), "--policy.discover_packages_path=tiny_policy")


class Run:
    """A run of `lerobot train` that the server has started, as `subprocess.Popen` would show it."""

    def __init__(self, ask: Callable[..., Any], flags: list[str], processes: int, log: Path) -> None:
        self._ask, self._log = ask, log
        self.pid: int = ask("start", [*flags, LAUNCHED[1]], processes, str(log))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._ask("poll", self.pid)
        return self.returncode

    def finish(self, expected: int = 0) -> str:
        """Wait for its end; gives what it said."""
        while self.poll() is None:
            time.sleep(0.02)
        output = self._log.read_text()
        assert self.returncode == expected, output
        return output

    def wait_for(self, path: Path) -> None:
        while not path.exists():
            assert self.poll() is None, self._log.read_text()
            time.sleep(0.02)


Start = Callable[..., Run]


@pytest.fixture(scope="module")
def server() -> Iterator[Callable[..., Any]]:
    """Asks the server, see `train_server.py`."""
    command = [sys.executable, str(HERE / "train_server.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRON) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None

        def ask(*job: Any) -> Any:
            stdin.write(json.dumps(job) + "\n")
            stdin.flush()
            return json.loads(stdout.readline())

        yield ask


@pytest.fixture
def start(server: Callable[..., Any], tmp_path: Path) -> Start:
    """Start `lerobot train` in one process, or in several."""

    def call(flags: list[str], processes: int = 1) -> Run:
        return Run(server, flags, processes, tmp_path / f"{len(list(tmp_path.glob('*.log')))}.log")

    return call


def launch(flags: list[str], *launcher: str) -> "subprocess.CompletedProcess[str]":
    """Run `lerobot train` by a launcher."""
    command = [sys.executable, "-m", *launcher, LAUNCHED[0], *flags, LAUNCHED[1]]
    out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.run(command, env=ENVIRON, text=True, timeout=200, check=False, **out)


def resuming(run: Path, *more: str) -> list[str]:
    return [f"--config_path={run}/checkpoints/last/pretrained_model/train_config.json", "--resume=true", *more]


@pytest.mark.parametrize(
    "more", [(), pytest.param(("--dataset.streaming=true", "--ema.enable=true"), marks=pytest.mark.slow)]
)
def test_a_killed_run_goes_on_to_the_same_weights(
    start: Start, arguments: Any, train: Any, resume: Any, states: States, tmp_path: Path, more: tuple[str, ...]
) -> None:
    """SIGKILL at a random instant, in the middle of a checkpoint too: the newest complete one is used."""
    steps = ("--steps=1000", "--save_freq=50", "--log_freq=500", *more)
    process = start(arguments(tmp_path / "killed", *steps))
    process.wait_for(tmp_path / "killed/checkpoints/000100")
    time.sleep(random.SystemRandom().uniform(0, 0.5))
    os.killpg(process.pid, signal.SIGKILL)
    process.finish(expected=-signal.SIGKILL)
    last = (tmp_path / "killed/checkpoints/last").resolve()
    assert last.name < "001000"
    resume(last, "--save_freq=0")
    whole = train(tmp_path / "whole", "--steps=1000", "--save_freq=0", "--log_freq=500", *more)
    assert states(tmp_path / "killed/checkpoints/last") == states(whole / "checkpoints/last")
    assert not list((tmp_path / "killed/checkpoints").glob(".*"))


def test_ctrl_c_saves_and_says_how_to_go_on(
    start: Start, arguments: Any, train: Any, states: States, tmp_path: Path
) -> None:
    process = start(arguments(tmp_path / "run", "--steps=1000000", "--save_freq=0", "--log_freq=10"))
    process.wait_for(tmp_path / "run/metrics.csv")
    os.kill(process.pid, signal.SIGINT)
    output = process.finish(expected=130)
    settings = (tmp_path / "run/checkpoints/last").resolve() / "pretrained_model/train_config.json"
    assert f"lerobot train --config_path={settings} --resume=true" in output
    assert "Traceback" not in output
    stopped = int(settings.parent.parent.name)
    whole = train(tmp_path / "whole", f"--steps={stopped}", "--save_freq=0", "--log_freq=10")
    here, there = states(settings.parent.parent), states(whole / "checkpoints/last")
    assert here == there


def losses(run: Path) -> list[float]:
    lines = (run / "metrics.csv").read_text().splitlines()
    column = lines[0].split(",").index("loss")
    return [float(line.split(",")[column]) for line in lines[1:]]


def test_two_processes_equal_one_with_twice_the_batch(arguments: Any, train: Any, tmp_path: Path) -> None:
    """gloo on the CPU; without noise, for two processes draw other noise than one."""
    quiet = ("--steps=12", "--policy.noise=0", "--save_freq=0", "--optimizer.type=sgd", "--optimizer.lr=0.05")
    torchrun = ("torch.distributed.run", "--standalone", "--nproc-per-node=2")
    launched = launch(arguments(tmp_path / "two", *quiet), *torchrun)
    assert launched.returncode == 0, launched.stdout
    train(tmp_path / "one", *quiet, "--batch_size=8")
    from safetensors.torch import load_file

    weights = [
        load_file(tmp_path / name / "checkpoints/last/pretrained_model/model.safetensors") for name in ("one", "two")
    ]
    for name, tensor in weights[0].items():
        assert (tensor - weights[1][name]).abs().max() < 1e-6
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-4)


def test_two_processes_resume_sample_exactly(start: Start, arguments: Any, states: States, tmp_path: Path) -> None:
    """Each process has random numbers of its own, and gets its own back."""
    steps = ("--steps=14", "--save_freq=5")
    start(arguments(tmp_path / "run", *steps), processes=2).finish()
    whole = states(tmp_path / "run/checkpoints/000014")
    random_files = [content for name, content in whole.items() if "rng_state" in name]
    assert len(random_files) == 2
    assert random_files[0] != random_files[1]
    again = resuming(tmp_path / "run", f"--checkpoint_path={tmp_path}/run/checkpoints/000005")
    start(again, processes=2).finish()
    assert states(tmp_path / "run/checkpoints/000014") == whole
    assert json.loads(whole["training_state/training_step.json"])["dp_world_size"] == 2


@pytest.mark.slow
def test_accelerate_launch_that_starts_one_of_two_is_refused(arguments: Any, tmp_path: Path) -> None:
    size = ("--cpu", "--num_processes=2", "--num_machines=1", "--mixed_precision=no", "--dynamo_backend=no")
    launched = launch(arguments(tmp_path / "run", "--steps=2"), "accelerate.commands.launch", *size)
    assert launched.returncode != 0
    assert "accelerate launch was asked for several processes and started one" in launched.stdout
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("started", "environ", "message"),
    [
        (1, {"WORLD_SIZE": "2"}, "asked for 2 processes, but 1 joined"),
        (1, {"ACCELERATE_MIXED_PRECISION": "no", "MASTER_PORT": "29500"}, "asked for several processes"),
    ],
)
def test_too_few_processes_are_refused(started: int, environ: dict[str, str], message: str) -> None:
    with pytest.raises(LeRobotError, match=message) as caught:
        check_launched(started, environ)
    assert "torchrun" in caught.value.hint


@pytest.mark.parametrize(
    ("started", "environ"),
    [(1, {}), (2, {"WORLD_SIZE": "2", "MASTER_PORT": "1"}), (1, {"ACCELERATE_MIXED_PRECISION": "no"})],
)
def test_the_right_number_is_accepted(started: int, environ: dict[str, str]) -> None:
    check_launched(started, environ)

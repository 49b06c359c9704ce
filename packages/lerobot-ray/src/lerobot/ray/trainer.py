"""One command in many processes of a Ray cluster, started by Ray's TorchTrainer."""

import os
import shlex
import sys
import threading
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer

from lerobot.core.errors import JobError
from lerobot.ray.cluster import joined
from lerobot.ray.config import RayExecutorConfig

_LOOK_S = 0.2
"""How often what the first process printed is shown."""


def train(config: RayExecutorConfig, arguments: Sequence[str], *, processes: int, log_folder: Path) -> None:
    """Start `lerobot ARGUMENTS` in processes of the cluster, and wait for them; they end with us.

    What each prints goes into a file of `log_folder`, and that of the first also where our own output goes.

    Args:
        config: which cluster, and what a process reserves there.
        arguments: name of the command and its flags.
        processes: how many.
        log_folder: folder, on a file system that all nodes share, for what they print and what Ray keeps of the run.

    Raises:
        JobError: a process failed.
    """
    log_folder.mkdir(parents=True, exist_ok=True)
    resources = {"CPU": config.num_cpus, **config.resources}
    if config.num_gpus:
        resources["GPU"] = config.num_gpus
    trainer = TorchTrainer(
        run_command,
        train_loop_config={"arguments": list(arguments), "folder": str(Path.cwd()), "log_folder": str(log_folder)},
        torch_config=TorchConfig(backend="nccl" if config.num_gpus else "gloo"),
        scaling_config=ScalingConfig(
            num_workers=processes, use_gpu=config.num_gpus > 0, resources_per_worker=resources
        ),
        run_config=RunConfig(name="ray", storage_path=str(log_folder)),
    )
    with joined(config):
        if error := _fit(trainer, _printed(log_folder, 0)):
            raise JobError(
                f"a process of 'lerobot {shlex.join(arguments)}' failed: {str(error).strip().splitlines()[-1]}",
                hint=f"what each process printed: {log_folder}",
            ) from error


def run_command(config: dict[str, Any]) -> None:
    """Run the command in this process, whose place among the others Ray has written into the environment.

    Args:
        config: `arguments`: name of the command and its flags; `folder`: where the command was given, for relative
            paths; `log_folder`: for what is printed.

    Raises:
        RuntimeError: the command ended with an error; Ray hands its text on.
    """
    from lerobot.core.cli.app import main

    if Path(config["folder"]).is_dir():
        os.chdir(config["folder"])
    printed = _printed(Path(config["log_folder"]), int(os.environ["RANK"]))
    with printed.open("w", buffering=1, encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
        code = main(["lerobot", *config["arguments"]])
    if code:
        raise RuntimeError(f"it ended with code {code}")


def _printed(log_folder: Path, rank: int) -> Path:
    return log_folder / f"rank_{rank}.log"


def _fit(trainer: TorchTrainer, printed: Path) -> Exception | None:
    """Wait for a trainer, showing what a process prints; its error, if it fails.

    It has a thread of its own: in the main one Ray would answer Ctrl-C in our place, and end as if nothing had failed.
    """
    failed: list[Exception] = []

    def fit() -> None:
        try:
            trainer.fit()
        except Exception as error:  # noqa: BLE001 # whatever it is, the command tells it
            failed.append(error)

    printed.unlink(missing_ok=True)
    thread = threading.Thread(target=fit, name="ray train", daemon=True)
    thread.start()
    shown = 0
    while thread.is_alive():
        thread.join(_LOOK_S)
        shown = _show(printed, shown)
    return failed[0] if failed else None


def _show(printed: Path, shown: int) -> int:
    """Show what came since `shown`, a position in the file; the new position."""
    if not printed.is_file():
        return shown
    with printed.open("rb") as file:
        file.seek(shown)
        new = file.read()
    sys.stderr.write(new.decode("utf-8", "replace"))
    sys.stderr.flush()
    return shown + len(new)

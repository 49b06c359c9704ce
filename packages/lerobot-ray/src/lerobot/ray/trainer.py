"""One command in many processes of a Ray cluster, started by Ray's TorchTrainer."""

import shlex
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer

from lerobot.core.errors import JobError
from lerobot.ray.cluster import joined
from lerobot.ray.config import RayExecutorConfig


def train(config: RayExecutorConfig, arguments: Sequence[str], *, processes: int, log_folder: Path) -> None:
    """Start `lerobot ARGUMENTS` in processes of the cluster, and wait for them.

    Args:
        config: which cluster, and what a process reserves there.
        arguments: name of the command and its flags.
        processes: how many.
        log_folder: folder, on a file system that all nodes share, for what Ray keeps of the run.

    Raises:
        JobError: a process failed.
    """
    resources = {"CPU": config.num_cpus, **config.resources}
    if config.num_gpus:
        resources["GPU"] = config.num_gpus
    trainer = TorchTrainer(
        run_command,
        train_loop_config={"arguments": list(arguments)},
        torch_config=TorchConfig(backend="nccl" if config.num_gpus else "gloo"),
        scaling_config=ScalingConfig(
            num_workers=processes, use_gpu=config.num_gpus > 0, resources_per_worker=resources
        ),
        run_config=RunConfig(name="ray", storage_path=str(log_folder)),
    )
    handler = signal.getsignal(signal.SIGINT)
    with joined(config):
        try:
            trainer.fit()
        except Exception as error:
            raise JobError(
                f"a process of 'lerobot {shlex.join(arguments)}' failed: {str(error).strip().splitlines()[-1]}",
                hint=f"what Ray kept of the run: {log_folder}",
            ) from error
        finally:
            # Ray answers Ctrl-C itself meanwhile, and leaves that so.
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, handler)


def run_command(config: dict[str, Any]) -> None:
    """Run the command in this process, whose place among the others Ray has written into the environment.

    Args:
        config: `arguments`: name of the command and its flags.

    Raises:
        RuntimeError: the command ended with an error; Ray hands its text on.
    """
    from lerobot.core.cli.app import main

    if code := main(["lerobot", *config["arguments"]]):
        raise RuntimeError(f"it ended with code {code}")

"""Trainings one after the other, in processes that find each other: `python run_shared.py PROCESSES RUNS`.

RUNS is a JSON list of lists of flags. Everything is imported once, before the processes part.
"""

import json
import os
import socket
import sys

import torch._dynamo  # noqa: F401 - imported once, here, and not in every process

from lerobot.core.config import load
from lerobot.training.command import train
from lerobot.training.commands.train import TrainPipelineConfig


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def run(rank: int, processes: int, ports: list[int], runs: list[list[str]]) -> int:
    """Be one of the processes; gives its exit code."""
    for port, words in zip(ports, runs, strict=True):
        if processes > 1:
            place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "MASTER_PORT": port}
            os.environ.update({name: str(value) for name, value in place.items()}, MASTER_ADDR="127.0.0.1")
        if (code := train(load(TrainPipelineConfig, words).config)) != 0:
            return code
    return 0


if __name__ == "__main__":
    processes, runs = int(sys.argv[1]), json.loads(sys.argv[2])
    ports = [free_port() for _ in runs]
    started = []
    for rank in range(processes):
        if (child := os.fork()) == 0:
            sys.exit(run(rank, processes, ports, runs))
        started.append(child)
    ended = [os.waitpid(child, 0)[1] for child in started]
    sys.exit(f"the processes ended with {ended}" if any(ended) else 0)

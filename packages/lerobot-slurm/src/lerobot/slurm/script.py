"""The scripts that sbatch is given."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from lerobot.jobs.launch import command_line, torchrun_line
from lerobot.slurm.config import SlurmExecutorConfig


def array_script(
    config: SlurmExecutorConfig,
    *,
    name: str,
    plan_file: Path,
    offset: int,
    tasks: Sequence[int],
    logs: Path,
    after: str,
) -> str:
    """A job array, of which each task does one shard.

    Args:
        config: of the engine.
        name: of the job.
        plan_file: the plan.
        offset: number of the shard that task 0 does: arrays have an upper limit for numbers, too.
        tasks: their numbers, ascending.
        logs: folder for what they print.
        after: id of a job that has to end first; empty for none.
    """
    at_once = "" if config.workers is None else f"%{config.workers}"
    options = [f"--array={ranges(tasks)}{at_once}", f"--output={_quoted(logs, '%A_%a.out')}"]
    if after:
        options.append(f"--dependency=afterany:{after}")
    shard = f"$(({offset} + SLURM_ARRAY_TASK_ID))"
    work = f'exec {shlex.join(command_line(["run-shard", str(plan_file)]))} "{shard}"'
    return _script(config, name, options, [work])


def launch_script(
    config: SlurmExecutorConfig, arguments: Sequence[str], *, nodes: int, processes_per_node: int, logs: Path
) -> str:
    """A job that starts one command in many processes: torchrun once per node.

    Args:
        config: of the engine.
        arguments: name of the command and its flags.
        nodes: machines.
        processes_per_node: on each.
        logs: folder for what they print.
    """
    options = [f"--nodes={nodes}", "--ntasks-per-node=1", f"--output={_quoted(logs, '%j.out')}"]
    together = [f"--nnodes={nodes}", f"--nproc-per-node={processes_per_node}", "--rdzv-backend=c10d"]
    line = shlex.join(torchrun_line(arguments, *together, "--rdzv-id=ID", "--rdzv-endpoint=PLACE"))
    # The two that only a running job knows.
    line = line.replace("--rdzv-id=ID", '--rdzv-id="$SLURM_JOB_ID"', 1)
    line = line.replace("--rdzv-endpoint=PLACE", '--rdzv-endpoint="$first:$port"', 1)
    return _script(
        config,
        f"lerobot-{arguments[0]}",
        options,
        [
            'first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)',
            "# Two jobs may have one node each to share.",
            "port=$((20000 + SLURM_JOB_ID % 20000))",
            f"exec srun {line}",
        ],
    )


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers as `--array` takes them, such as `0-9,12`."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def _script(config: SlurmExecutorConfig, name: str, options: Sequence[str], work: Sequence[str]) -> str:
    asked = {"partition": config.partition, "account": config.account, "time": config.time, "mem": config.memory}
    given = [f"--{option}={value}" for option, value in asked.items() if value is not None]
    gpus = [f"--gres=gpu:{config.gpus}"] if config.gpus else []
    every = [f"--job-name={name}", *options, *given, f"--cpus-per-task={config.cpus}", *gpus, *config.sbatch]
    return "\n".join(
        [
            "#!/bin/bash",
            *(f"#SBATCH {option}" for option in every),
            "set -eu",
            *config.setup,
            f"cd {shlex.quote(str(Path.cwd()))}",
            *work,
            "",
        ]
    )


def _quoted(logs: Path, pattern: str) -> str:
    """A file for sbatch, which fills in what stands behind a per cent sign."""
    folder = str(logs).replace("%", "%%")
    return f'"{folder}/{pattern}"'

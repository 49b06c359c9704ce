"""Configuration of the engine `slurm`."""

from typing import Annotated

from pydantic import Field

from lerobot.jobs.config import ExecutorConfig

Word = Annotated[str, Field(pattern=r"^[^\s\"'\\]+$")]
"""What stands on a line of a script as it is."""


class SlurmExecutorConfig(ExecutorConfig):
    """A SLURM cluster: tasks of job arrays.

    All nodes see the folder of the job under the path that it has here.
    """

    target = "lerobot.slurm.executor:SlurmExecutor"

    type: str = "slurm"
    workers: int | None = Field(
        default=None, ge=1, description="Shards at a time; null: as many as the cluster has room for."
    )
    partition: Word | None = Field(default=None, description="Partition; null: the cluster's default.")
    account: Word | None = Field(default=None, description="Account to charge; null: yours by default.")
    time: Annotated[str, Field(pattern=r"^(\d+-)?\d+(:\d+){0,2}$")] | None = Field(
        default=None, description="Longest time of a task, such as 2:00:00 or 1-12; null: the partition's default."
    )
    memory: Annotated[str, Field(pattern=r"^\d+[KMGT]?$")] | None = Field(
        default=None, description="Memory of a node for a task, such as 16G; null: the partition's default."
    )
    cpus: int = Field(default=1, ge=1, description="Cores of a task.")
    gpus: int = Field(default=0, ge=0, description="GPUs of a task; of a command in many processes: of each node.")
    sbatch: list[Annotated[str, Field(pattern=r"^-[^\r\n]+$")]] = Field(
        default=[], description="Further options of sbatch, such as ['--constraint=a100', '--qos=long']."
    )
    setup: list[Annotated[str, Field(pattern=r"^[^\r\n]+$")]] = Field(
        default=[], description="Lines of shell before the work, such as ['module load cuda']."
    )
    max_array: int = Field(
        default=1000, ge=1, description="Most tasks of one job array: MaxArraySize of `scontrol show config`, less 1."
    )
    attempts: int = Field(default=3, ge=1, description="How often a shard is submitted whose task ends without it.")
    poll_s: float = Field(default=10.0, gt=0, description="Seconds between two looks at the queue.")
    submit: bool = Field(default=True, description="Submit; false: write the scripts, say how, and end.")
    cancel: bool = Field(default=False, description="Ctrl-C cancels the tasks; false: they go on, and are found again.")

"""What runs on a node: it gets a path and a number, and everything else from the plan."""

import os
import platform
from pathlib import Path

from lerobot.core.errors import JobError, LeRobotError
from lerobot.jobs.shard import run_shard


def do_shard(plan_file: str, index: int, folder: str) -> dict[str, str] | None:
    """Do a shard.

    Args:
        plan_file: the plan, on a file system that all nodes share.
        index: number of the shard.
        folder: working folder of the command, for relative paths; a node that has none stays where it is.

    Returns:
        None when it is done; the texts of the error, if another try would end alike.
    """
    if Path(folder).is_dir():
        os.chdir(folder)
    try:
        if not Path(plan_file).is_file():
            raise JobError(
                f"{platform.node()} does not see {plan_file}",
                expected="the folder of a job where every node has it under the same path, such as on NFS",
            )
        run_shard(Path(plan_file), index)
    except LeRobotError as error:
        return {"what": error.what, "expected": error.expected, "hint": error.hint}
    return None

"""`lerobot run-shard`: one shard, and what was done."""

import typer

from lerobot.core.words import counted
from lerobot.jobs.commands.run_shard import RunShardConfig
from lerobot.jobs.shard import run_shard


def run_shard_command(config: RunShardConfig) -> None:
    """Do a shard and say what there is.

    Raises:
        LeRobotError: there is no such shard, or it cannot be done.
    """
    receipt = run_shard(config.plan.absolute(), config.shard)
    size = sum(record.bytes for record in receipt.files.values())
    files = counted(len(receipt.files), "file")
    typer.echo(f"shard {config.shard} ({receipt.shard}): {files}, {size:,} bytes, {receipt.seconds:g} s")

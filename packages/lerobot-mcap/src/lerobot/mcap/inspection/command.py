"""`lerobot mcap-contract`: looks at a log and prints a contract."""

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from lerobot.core.signals import stop_signals
from lerobot.mcap.commands.mcap_contract import McapContractConfig
from lerobot.mcap.inspection.proposal import propose
from lerobot.mcap.inspection.survey import survey
from lerobot.mcap.log.log import Log
from lerobot.mcap.log.path import log_paths


def mcap_contract(config: McapContractConfig) -> None:
    """Print a contract for a log.

    Raises:
        LeRobotError: there is no log, it is damaged, or nothing in it becomes a feature.
    """
    logs = [Log(path) for path in log_paths(config.log)]
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    try:
        with (
            stop_signals().graceful(),
            Progress(*columns, console=Console(stderr=True), transient=True) as progress,
        ):
            bar = progress.add_task(config.log.name, total=sum(log.size for log in logs))
            topics = survey(logs, lambda read: progress.update(bar, completed=read))
    finally:
        for log in logs:
            log.close()
    for told in (line for log in logs for line in log.cut_off):
        typer.echo(f"# {told}")
    typer.echo(propose(topics), nl=False)

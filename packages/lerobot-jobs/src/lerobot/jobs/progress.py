"""How far a job is, on the terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lerobot.jobs import job


@contextmanager
def progress_bar(title: str) -> Iterator[job.Progress]:
    """A bar on stderr while a job runs.

    Args:
        title: what is done.

    Yields:
        What `run_job` tells about progress.
    """
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("shards")
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

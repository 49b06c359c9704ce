"""What `lerobot quickstart` does."""

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lerobot.core.durable import replace_text
from lerobot.core.errors import LeRobotError
from lerobot.core.signals import StopSignals
from lerobot.quickstart.commands.quickstart import QuickstartConfig
from lerobot.quickstart.journal import Journal
from lerobot.quickstart.page import render, shell_line
from lerobot.quickstart.recipe import Step, recipe, settings
from lerobot.quickstart.results import losses, score
from lerobot.quickstart.running import last_lines, run

PAGE = "report.html"


def quickstart(config: QuickstartConfig) -> int:
    """Run the command: every step that is not done, then the page.

    Returns:
        0, or 128 plus the number of the signal that ended it.

    Raises:
        LeRobotError: the folder is another quickstart's, or a step failed.
    """
    folder, chosen = config.output_dir, settings(config)
    journal = Journal(folder, chosen)
    journal.save()
    steps = recipe(chosen, folder)
    with _alone(folder), StopSignals() as signals:
        for number, step in enumerate(steps, start=1):
            typer.secho(f"\n[{number}/{len(steps)}] {step.name}: {step.purpose}", bold=True)
            if journal.is_finished(step) or step.is_complete():
                typer.echo("done before")
            else:
                _carry_out(step, journal, folder / "logs" / f"{step.name}.log", signals)
            if signals.received is not None:
                typer.echo(f"\nStopped; what is done is kept. The same command goes on:\n  {_again(config)}", err=True)
                return signals.exit_code
    trained, untrained = score(folder / "eval"), score(folder / "eval-untrained")
    seconds = {step.name: journal.seconds(step) for step in steps}
    replace_text(folder / PAGE, render(chosen, steps, seconds, (trained, untrained), losses(folder / "train")))
    typer.secho(f"\nSuccess: {trained}", bold=True)
    typer.echo(f"Untrained: {untrained}")
    typer.echo(f"{sum(seconds.values()):.0f} s in all. The report, with films of the policy:\n  {folder / PAGE}")
    return 0


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second quickstart out of the folder.

    Raises:
        LeRobotError: there is one already.
    """
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout as error:
        raise LeRobotError(
            f"another quickstart is at work in {folder}", hint="Wait for it, or choose another folder: --output_dir=..."
        ) from error


def _again(config: QuickstartConfig) -> str:
    """The command line of this configuration."""
    flags = (
        f"--{name}={str(value).lower() if isinstance(value, bool) else shlex.quote(str(value))}"
        for name, value in config.model_dump(exclude_defaults=True).items()
    )
    return " ".join(("lerobot quickstart", *flags))


def _carry_out(step: Step, journal: Journal, log: Path, signals: StopSignals) -> None:
    """Run one step and write down how it went.

    Raises:
        LeRobotError: it failed of itself.
    """
    began = time.monotonic()
    command = step.begin()
    typer.echo(shell_line(command))
    with _progress(step) as look:
        code = run(command, log, signals, look)
    took = time.monotonic() - began
    done = code == 0 or (code == 1 and step.may_find)
    journal.spent(step, took, finished=done)
    if code != 0 and signals.received is None:
        for line in last_lines(log, 8):
            typer.echo(f"  | {line}", err=True)
    if done:
        typer.echo(f"done in {took:.0f} s")
    elif signals.received is None:
        raise LeRobotError(
            f"lerobot {command[0]} ended with exit code {code}",
            expected="0",
            hint=f"All it said is in {log}. Once that is mended, the same command goes on here.",
        )


@contextmanager
def _progress(step: Step) -> Iterator[Callable[[], None]]:
    """A bar of how far a step is, on a terminal only."""
    console = Console()
    columns = (TextColumn(step.name), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(step.name, total=step.total or None)
        yield lambda: progress.update(bar, completed=step.done())

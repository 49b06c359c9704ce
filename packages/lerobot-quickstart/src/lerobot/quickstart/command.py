"""What `lerobot quickstart` does."""

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
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
    stages = recipe(chosen, folder)
    steps = [step for stage in stages for step in stage]
    with _alone(folder), StopSignals() as signals:
        for stage in stages:
            _carry_out(
                [step for step in stage if not _is_done(step, steps, journal)], journal, folder / "logs", signals
            )
            if signals.received is not None:
                typer.echo(f"\nStopped; what is done is kept. The same command goes on:\n  {_again(config)}", err=True)
                return signals.exit_code
    trained, untrained = score(folder / "eval"), score(folder / "eval-untrained")
    seconds = {step.name: journal.seconds(step) for step in steps}
    # The step of a stage that ended last was there for all of it.
    total_s = sum(max(journal.seconds(step) for step in stage) for stage in stages)
    page = render(chosen, steps, seconds, total_s, (trained, untrained), losses(folder / "train"))
    replace_text(folder / PAGE, page)
    typer.secho(f"\nSuccess: {trained}", bold=True)
    typer.echo(f"Untrained: {untrained}")
    typer.echo(f"{total_s:.0f} s in all. The report, with films of the policy:\n  {folder / PAGE}")
    return 0


def _is_done(step: Step, steps: Sequence[Step], journal: Journal) -> bool:
    """Say what comes next, and whether nothing is left of it."""
    typer.secho(f"\n[{steps.index(step) + 1}/{len(steps)}] {step.name}: {step.purpose}", bold=True)
    done = journal.is_finished(step) or step.is_complete()
    if done:
        typer.echo("done before")
    return done


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


def _carry_out(steps: Sequence[Step], journal: Journal, logs: Path, signals: StopSignals) -> None:
    """Run steps side by side and write down how each went.

    Raises:
        LeRobotError: one failed of itself.
    """
    if not steps:
        return
    began = time.monotonic()
    commands = [step.begin() for step in steps]
    files = [logs / f"{step.name}.log" for step in steps]
    for command in commands:
        typer.echo(shell_line(command))
    with _progress(steps) as look:
        codes = run(list(zip(commands, files, strict=True)), signals, look)
    took = time.monotonic() - began
    failed = []
    for step, command, log, code in zip(steps, commands, files, codes, strict=True):
        done = code == 0 or (code == 1 and step.may_find)
        journal.spent(step, took, finished=done)
        if code != 0 and signals.received is None:
            for line in last_lines(log, 8):
                typer.echo(f"  | {line}", err=True)
        if not done:
            failed.append((command[0], code, log))
    if not failed:
        typer.echo(f"done in {took:.0f} s")
    elif signals.received is None:
        name, code, log = failed[0]
        raise LeRobotError(
            f"lerobot {name} ended with exit code {code}",
            expected="0",
            hint=f"All it said is in {log}. Once that is mended, the same command goes on here.",
        )


@contextmanager
def _progress(steps: Sequence[Step]) -> Iterator[Callable[[], None]]:
    """Bars of how far steps are, on a terminal only."""
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bars = [(step, progress.add_task(step.name, total=step.total or None)) for step in steps]

        def look() -> None:
            for step, bar in bars:
                progress.update(bar, completed=step.done())

        yield look

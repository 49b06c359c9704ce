"""The `lerobot` command line: starts, and turns every outcome into an exit code.

0 is success, 1 a failed run, 2 a mistake of the user, 130 an interruption (128 and the number of the signal).
"""

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Annotated

import typer

from lerobot.core.cli.group import CommandGroup
from lerobot.core.errors import ConfigError, LeRobotError, PluginError, PluginLoadError
from lerobot.core.signals import NAMES_WITHOUT_ROBOT, StopSignals

OK, FAILED, USER_ERROR = 0, 1, 2
ISSUES = "https://github.com/lerobot-plugins/lerobot/issues"
TRACEBACK_VARIABLE = "LEROBOT_TRACEBACK"

app = typer.Typer(
    cls=CommandGroup,
    name="lerobot",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib_metadata import version

        typer.echo(f"lerobot-core {version('lerobot-core')}")
        raise typer.Exit


@app.callback()
def lerobot(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and stop.")
    ] = False,
    with_traceback: Annotated[bool, typer.Option("--traceback", help="Show the traceback of every error.")] = False,
) -> None:
    """Drive robots, record demonstrations, train policies and evaluate them, with plugins.

    `lerobot COMMAND --help` explains a command; add `--robot.type=NAME` to see the flags of that robot.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: program name and arguments; `sys.argv` if None. Called as `lerobot-record`, the command is `record`.

    Returns:
        The exit code.
    """
    with StopSignals(NAMES_WITHOUT_ROBOT) as signals:
        code = _run(sys.argv if argv is None else argv, signals)
    # Also where the interruption was swallowed.
    return code or signals.exit_code


def _run(argv: Sequence[str], signals: StopSignals) -> int:
    _open_closed_streams()
    program, *arguments = argv
    stem = PurePath(program).name.removesuffix(".exe").removesuffix(".py")
    if stem.startswith("lerobot-"):
        arguments = [stem.removeprefix("lerobot-"), *arguments]
    with_traceback = "--traceback" in arguments or bool(os.environ.get(TRACEBACK_VARIABLE))
    try:
        typer.main.get_command(app).main(args=arguments, prog_name="lerobot")
    except SystemExit as end:
        # Typer makes something of its own of an interruption.
        return signals.exit_code or (end.code if isinstance(end.code, int) else OK if end.code is None else FAILED)
    except LeRobotError as error:
        if signals.received is not None and isinstance(error, PluginLoadError):
            return _interrupted(error, signals)
        return _explain(error, with_traceback)
    except Exception as error:  # noqa: BLE001 - the last line of defence: whatever it is, the user is told and it fails
        if isinstance(error, OSError) and error.strerror:
            return _explain(_refused_by_the_system(error), with_traceback)
        if signals.received is not None:
            return _interrupted(error, signals)
        typer.secho(
            f"error: unexpected {type(error).__name__}; this is a bug in lerobot or a plugin.", err=True, fg="red"
        )
        typer.echo(f"  please report it with the lines below: {ISSUES}\n", err=True)
        typer.echo("".join(traceback.format_exception(error)), err=True)
        return FAILED
    return OK


def _interrupted(error: Exception, signals: StopSignals) -> int:
    """C code and imports turn an interruption into errors of other kinds; which one it is may still matter."""
    typer.echo(f"\nInterrupted ({type(error).__name__}: {error}).", err=True)
    return signals.exit_code


def _open_closed_streams() -> None:
    """Give output to nowhere, and input of nothing, to what was started without (`>&-`, some service managers)."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process


def _refused_by_the_system(error: OSError) -> LeRobotError:
    """A full disk, a folder that may not be written: the user's to mend, and no bug."""
    place = f": '{error.filename}'" if error.filename else ""
    told = LeRobotError(f"{error.strerror}{place}.", hint="Add --traceback to see where.")
    told.__cause__ = error
    return told


def _explain(error: LeRobotError, with_traceback: bool) -> int:
    if with_traceback:
        typer.echo("".join(traceback.format_exception(error)), err=True)
    lines = str(error).splitlines()
    if isinstance(error, ConfigError) and len(error.problems) > 1:
        lines = [f"{len(error.problems)} problems", *(f"  {line}" for line in lines)]
    typer.echo(f"{typer.style('error:', fg='red')} {lines[0]}", err=True)
    for line in lines[1:]:
        typer.echo(line, err=True)
    user_error = isinstance(error, ConfigError | PluginError) and not isinstance(error, PluginLoadError)
    return USER_ERROR if user_error else FAILED

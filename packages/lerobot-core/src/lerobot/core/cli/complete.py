"""What a shell may suggest after a command's name; imports light configuration classes and nothing more."""

import os
from collections.abc import Iterator, Sequence

from lerobot.core.cli.describe import Row, describe
from lerobot.core.config.arguments import COMMON_FLAGS
from lerobot.core.errors import LeRobotError
from lerobot.core.registry import registry


def suggestions(command: str, arguments: Sequence[str], incomplete: str) -> list[tuple[str, str]]:
    """Suggest how a word can go on.

    Args:
        command: registered name of the command.
        arguments: complete words after the command's name.
        incomplete: what is typed of the word, after `=` if the shell or typer splits there.

    Returns:
        Words with a description each, in the form the shell replaces the word with.
    """
    words = [word for word in arguments if word != "="]
    flag, prefix = _flag_before(words, incomplete)
    if not flag and incomplete.startswith("--") and "=" in incomplete:
        flag, _, incomplete = incomplete.partition("=")
        prefix = f"{flag}="
    try:
        model = registry.config_class("command", command)
        rows = [row for section in describe(model, words, os.environ) for row in section.rows]
    except LeRobotError:
        return []
    return [(f"{prefix}{value}", text) for value, text in _candidates(rows, flag, words, incomplete)]


def _flag_before(words: Sequence[str], incomplete: str) -> tuple[str, str]:
    """The flag whose value is being typed, and what must be put back before the value.

    zsh and fish see `--robot.type=fa` as one word, of which typer hands on only `fa`; the variable they set still has
    it whole. bash splits it at `=` and replaces `fa` alone.
    """
    whole = (os.environ.get("_TYPER_COMPLETE_ARGS", "").split(" ") or [""])[-1]
    name, equals, value = whole.partition("=")
    if equals and name.startswith("--") and value == incomplete:
        return name, f"{name}="
    last = words[-1] if words else ""
    return (last, "") if last.startswith("--") and "=" not in last else ("", "")


def _candidates(rows: list[Row], flag: str, words: Sequence[str], incomplete: str) -> Iterator[tuple[str, str]]:
    row = next((row for row in rows if flag and row.flag == _underscored(flag)), None)
    if row is not None and not incomplete.startswith("--"):
        yield from ((choice, "") for choice in row.choices if choice.startswith(incomplete))
    elif incomplete.startswith("-") or not (positional := _positional(rows, words)):
        flags = {row.flag: row.text for row in rows if row.flag.startswith("--")} | COMMON_FLAGS
        yield from ((name, text) for name, text in flags.items() if name.startswith(_underscored(incomplete)))
    else:
        yield from ((choice, "") for choice in positional.choices if choice.startswith(incomplete))


def _underscored(flag: str) -> str:
    """A flag as it is listed: dashes within its name are underscores."""
    return f"{flag[:2]}{flag[2:].replace('-', '_')}"


def _positional(rows: list[Row], words: Sequence[str]) -> Row | None:
    """The positional parameter whose turn it is."""
    waiting = [row for row in rows if not row.flag.startswith("--")]
    given = sum(not word.startswith("-") for word in words)
    return waiting[given] if given < len(waiting) else None

"""What a task printed: the error that `lerobot run-shard` ended with."""

from dataclasses import dataclass
from pathlib import Path

_ERROR, _EXPECTED = "error: ", "  expected: "


@dataclass(frozen=True, slots=True)
class ToldError:
    """An error as the command line printed it; see `LeRobotError` for the texts."""

    what: str
    expected: str = ""
    hint: str = ""


def told_error(log: Path) -> ToldError | None:
    """The error at the end of a task's output; None if it ended without a word, as a killed one does."""
    if not log.exists():
        return None
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    begins = [place for place, line in enumerate(lines) if line.startswith(_ERROR)]
    if not begins:
        return None
    first, *others = lines[begins[-1] :]
    expected = next((line.removeprefix(_EXPECTED) for line in others if line.startswith(_EXPECTED)), "")
    hint = next((line.strip() for line in others if line.strip() and not line.startswith(_EXPECTED)), "")
    return ToldError(first.removeprefix(_ERROR), expected, hint)

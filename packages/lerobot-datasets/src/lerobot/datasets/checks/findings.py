"""One thing that is wrong with a dataset."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, looks wrong or is worth knowing.

    Attributes:
        severity: `"error"` if frames cannot be read as the format promises, `"warning"` if a person should look,
            `"note"` if it is good to know and nothing is wrong.
        check: which check found it, such as `"frozen_camera"`.
        text: what and where, on one line.
        episode: the episode it concerns; None for the whole dataset.
        feature: the feature it concerns, if any.
        frame: the first frame of the episode that it concerns, if it concerns some.
    """

    severity: Severity
    check: str
    text: str
    episode: int | None = None
    feature: str | None = None
    frame: int | None = None

    def __str__(self) -> str:
        """The line that is shown."""
        where = "" if self.episode is None else f"episode {self.episode}: "
        return f"{self.severity} {self.check}: {where}{self.text}"

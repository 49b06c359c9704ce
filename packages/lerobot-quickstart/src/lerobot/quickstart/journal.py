"""Which steps are finished and what they took, kept beside what they made."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lerobot.core.durable import replace_text
from lerobot.core.errors import LeRobotError
from lerobot.core.json_file import read_json
from lerobot.quickstart.recipe import Settings, Step

FILE = "quickstart.json"


class Journal:
    """The state of one quickstart; every change is on the disk when the call returns.

    Args:
        folder: of the quickstart.
        chosen: its settings.

    Raises:
        LeRobotError: the folder holds a quickstart with other settings, or something else.
    """

    def __init__(self, folder: Path, chosen: Settings) -> None:
        self._path = folder / FILE
        self._state: dict[str, Any] = {"settings": asdict(chosen), "finished": [], "seconds": {}}
        if self._path.exists():
            self._load(chosen)
        elif folder.is_dir() and any(folder.iterdir()):
            raise LeRobotError(
                f"{folder} holds something else than a quickstart", hint="Choose another folder: --output_dir=..."
            )

    def _load(self, chosen: Settings) -> None:
        try:
            state = read_json(self._path)
            before, wanted = dict(state["settings"]), asdict(chosen)
            self._state = {**state, "finished": list(state["finished"]), "seconds": dict(state["seconds"])}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LeRobotError(
                f"{self._path} cannot be read: {error}", hint="Choose another folder: --output_dir=..."
            ) from error
        if before != wanted:
            other = [name for name in wanted if before.get(name) != wanted[name]]
            raise LeRobotError(
                f"{self._path.parent} holds a quickstart with "
                + ", ".join(f"{name} {before.get(name)}" for name in other),
                expected=", ".join(f"{name} {wanted[name]}" for name in other),
                hint="Go on with the settings it has, or choose another folder: --output_dir=...",
            )

    def is_finished(self, step: Step) -> bool:
        """Whether a step is done, and what it made still there."""
        return step.name in self._state["finished"] and step.product.exists()

    def spent(self, step: Step, seconds: float, *, finished: bool) -> None:
        """Remember a run of a step, whether it came to its end or not."""
        total = self.seconds(step) + seconds
        self._state["seconds"][step.name] = round(total, 1)
        if finished and step.name not in self._state["finished"]:
            self._state["finished"].append(step.name)
        self.save()

    def seconds(self, step: Step) -> float:
        """What a step took, over all its runs."""
        return float(self._state["seconds"].get(step.name, 0.0))

    def save(self) -> None:
        """Write it down."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(self._path, json.dumps(self._state, indent=2))

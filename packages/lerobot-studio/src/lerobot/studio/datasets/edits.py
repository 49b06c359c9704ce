"""What a person wants to be changed in a recording, as the command line that does it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lerobot.core.errors import LeRobotError
from lerobot.core.words import counted

COMMAND = "edit-dataset"
_EFFECTS = {
    "delete": "leaves out {}; the others are numbered anew",
    "trim": "cuts the begin or the end of {} off",
    "task": "gives {} another task",
    "outcome": "says how {} ended",
    "undo": "swaps the recording with its state before the last edit; done again, it brings the edit back",
    "reencode": "encodes all videos anew as H.264, which every browser plays; this takes a while",
    "push": "uploads the recording to the Hugging Face Hub; this needs a login (hf auth login)",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """An edit that somebody asks for.

    Attributes:
        root: folder of the recording.
        do: which edit.
        episodes: numbers of the episodes.
        fields: what else the form has.
    """

    root: Path
    do: str
    episodes: Sequence[int]
    fields: Mapping[str, str]

    @property
    def effect(self) -> str:
        """What it does, in words."""
        one = f"episode {self.episodes[0]}" if len(self.episodes) == 1 else counted(len(self.episodes), "episode")
        return _EFFECTS[self.do].format(one)

    def arguments(self) -> list[str]:
        """What stands after `lerobot edit-dataset`.

        Raises:
            LeRobotError: there is no such edit, or something is missing.
        """
        if self.do not in _EFFECTS:
            raise LeRobotError(f"{self.do!r} is no edit.")
        if not self.episodes and "{}" in _EFFECTS[self.do]:
            raise LeRobotError("No episode is chosen.")
        chosen = f"episode_indices={json.dumps(sorted(set(self.episodes)))}"
        match self.do:
            case "delete":
                words = ["type=delete_episodes", chosen]
            case "trim":
                words = ["type=trim", *self._sides(), chosen]
            case "task":
                tasks = dict.fromkeys(sorted(set(self.episodes)), self._text("task", "The task in words"))
                words = ["type=modify_tasks", f"episode_tasks={json.dumps(tasks, ensure_ascii=False)}"]
            case "outcome":
                words = ["type=set_outcome", f"outcome={self._text('outcome', 'The outcome')}", chosen]
            case "reencode":
                encoder = ["rgb_encoder.vcodec=h264", "rgb_encoder.pix_fmt=yuv420p"]
                words = ["type=reencode_videos", "overwrite=true", *encoder]
            case "push":
                name = self._text("repo_id", "The name on the Hub, owner/name,")
                return [f"--root={self.root}", f"--repo_id={name}", "--operation.type=info", "--push_to_hub=true"]
            case _:
                words = ["type=undo"]
        return [f"--root={self.root}", *(f"--operation.{word}" for word in words)]

    def _sides(self) -> list[str]:
        sides = []
        for side in ("start_s", "end_s"):
            text = self.fields.get(side, "").strip() or "0"
            try:
                seconds = float(text)
            except ValueError as error:
                raise LeRobotError(f"{text!r} is no number of seconds.") from error
            sides += [f"{side}={seconds:g}"] if seconds else []
        if not sides:
            raise LeRobotError("Nothing is to be cut off: say how many seconds at the begin or at the end.")
        return sides

    def _text(self, name: str, what: str) -> str:
        if not (value := self.fields.get(name, "").strip()):
            raise LeRobotError(f"{what} is missing.")
        return value

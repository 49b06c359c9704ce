"""What a person wants to be changed in a recording, as the command line that does it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lerobot.core.errors import LeRobotError
from lerobot.core.words import counted

COMMAND = "edit-dataset"


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

    def text(self, name: str, what: str) -> str:
        """A field that must be filled in.

        Raises:
            LeRobotError: it is empty.
        """
        if not (value := self.fields.get(name, "").strip()):
            raise LeRobotError(f"{what} is missing.")
        return value

    def seconds(self, name: str) -> float:
        """A field with seconds, 0 if empty.

        Raises:
            LeRobotError: it holds no number.
        """
        value = self.fields.get(name, "").strip() or "0"
        try:
            return float(value)
        except ValueError as error:
            raise LeRobotError(f"{value!r} is no number of seconds.") from error


def _chosen(wish: Wish) -> str:
    if not wish.episodes:
        raise LeRobotError("No episode is chosen.")
    return f"--operation.episode_indices={json.dumps(sorted(set(wish.episodes)))}"


def _delete(wish: Wish) -> list[str]:
    return ["--operation.type=delete_episodes", _chosen(wish)]


def _trim(wish: Wish) -> list[str]:
    sides = [f"--operation.{side}={wish.seconds(side):g}" for side in ("start_s", "end_s") if wish.seconds(side)]
    if not sides:
        raise LeRobotError("Nothing is to be cut off: say how many seconds at the begin or at the end.")
    return ["--operation.type=trim", *sides, _chosen(wish)]


def _task(wish: Wish) -> list[str]:
    _chosen(wish)
    tasks = dict.fromkeys(sorted(set(wish.episodes)), wish.text("task", "The task in words"))
    return ["--operation.type=modify_tasks", f"--operation.episode_tasks={json.dumps(tasks, ensure_ascii=False)}"]


def _outcome(wish: Wish) -> list[str]:
    return ["--operation.type=set_outcome", f"--operation.outcome={wish.text('outcome', 'The outcome')}", _chosen(wish)]


def _undo(_wish: Wish) -> list[str]:
    return ["--operation.type=undo"]


def _reencode(_wish: Wish) -> list[str]:
    return [
        "--operation.type=reencode_videos",
        "--operation.overwrite=true",
        "--operation.rgb_encoder.vcodec=h264",
        "--operation.rgb_encoder.pix_fmt=yuv420p",
    ]


def _push(wish: Wish) -> list[str]:
    name = f"--repo_id={wish.text('repo_id', 'The name on the Hub, owner/name,')}"
    return [name, "--operation.type=info", "--push_to_hub=true"]


_EDITS: Mapping[str, tuple[Callable[[Wish], list[str]], str]] = {
    "delete": (_delete, "leaves out {}; the others are numbered anew"),
    "trim": (_trim, "cuts the begin or the end of {} off"),
    "task": (_task, "gives {} another task"),
    "outcome": (_outcome, "says how {} ended"),
    "undo": (_undo, "swaps the recording with its state before the last edit; done again, it brings the edit back"),
    "reencode": (_reencode, "encodes all videos anew as H.264, which every browser plays; this takes a while"),
    "push": (_push, "uploads the recording to the Hugging Face Hub; this needs a login (hf auth login)"),
}


def arguments(wish: Wish) -> list[str]:
    """What stands after `lerobot edit-dataset`.

    Raises:
        LeRobotError: there is no such edit, or something is missing.
    """
    if wish.do not in _EDITS:
        raise LeRobotError(f"{wish.do!r} is no edit.")
    return [f"--root={wish.root}", *_EDITS[wish.do][0](wish)]


def effect(wish: Wish) -> str:
    """What it does, in words."""
    one = f"episode {wish.episodes[0]}" if len(wish.episodes) == 1 else counted(len(wish.episodes), "episode")
    return _EDITS[wish.do][1].format(one)


def can_be_undone(wish: Wish) -> bool:
    """Whether the state before stays beside the recording."""
    return wish.do != "push"

"""Recordings on this computer, as their `meta/info.json` tells; nothing else of them is read."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot.core.durable import make_folder, replace_text
from lerobot.core.errors import LeRobotError
from lerobot.core.json_file import read_json
from lerobot.core.paths import lerobot_home, user_path

_INFO = "meta/info.json"
_BACKUP = re.compile(r"_old\d*$")
_MOST_OPENED = 50


@dataclass(frozen=True, slots=True)
class Found:
    """A recording.

    Attributes:
        root: its folder.
        name: below the folder of recordings, or the path.
        robot: name of its robot.
        episodes: how many it has.
        seconds: of all of them.
        cameras: how many it has.
        changed_s: when it was changed, seconds since 1970.
        problem: why it cannot be read; empty if it can.
    """

    root: str
    name: str
    robot: str = ""
    episodes: int = 0
    seconds: float = 0.0
    cameras: int = 0
    changed_s: float = 0.0
    problem: str = ""

    @classmethod
    def read(cls, root: Path, name: str) -> "Found":
        """Look at one folder."""
        try:
            told = read_json(root / _INFO)
            episodes, frames = (int(told.get(key) or 0) for key in ("total_episodes", "total_frames"))
            cameras = sum(feature.get("dtype") in ("video", "image") for feature in told["features"].values())
            robot, changed_s = str(told.get("robot_type") or ""), (root / _INFO).stat().st_mtime
            return cls(str(root), name, robot, episodes, frames / float(told["fps"]), cameras, changed_s)
        except (OSError, ValueError, TypeError, LookupError, AttributeError, ZeroDivisionError) as error:
            return cls(root=str(root), name=name, problem=f"{_INFO} cannot be read: {error}")


def recordings(home: Path, opened: list[str], wanted: str = "") -> list[Found]:
    """List recordings, the newest first.

    Args:
        home: folder of recordings; they are in it, or one folder deeper.
        opened: further folders.
        wanted: words that name or robot have; all if empty.
    """
    roots = {str(root): str(root.relative_to(home)) for root in _below(home)}
    roots |= {root: root for root in opened if root not in roots and (Path(root) / _INFO).is_file()}
    found = [Found.read(Path(root), name) for root, name in roots.items()]
    words = wanted.lower().split()
    found = [each for each in found if all(word in f"{each.name} {each.robot}".lower() for word in words)]
    return sorted(found, key=lambda each: (-each.changed_s, each.name))


def folder_of(path: str) -> Path:
    """The folder that somebody typed.

    Raises:
        LeRobotError: it holds no recording.
    """
    if not path.strip() or "\0" in path:
        raise LeRobotError("No folder was named.")
    root = Path(os.path.abspath(user_path(path.strip())))  # noqa: PTH100 # not through links, unlike `resolve`
    if not (root / _INFO).is_file():
        raise LeRobotError(f"{root} is no recording: it has no {_INFO}.")
    return root


def opened_before() -> list[str]:
    """Folders that somebody opened by their path, the newest first."""
    try:
        told: Any = read_json(_opened())
    except (OSError, ValueError):
        return []
    return [str(root) for root in told] if isinstance(told, list) else []


def remember(root: Path) -> None:
    """Add one to them."""
    roots = list(dict.fromkeys([str(root), *opened_before()]))[:_MOST_OPENED]
    make_folder(_opened().parent)
    replace_text(_opened(), json.dumps(roots, indent=1))


def _opened() -> Path:
    return lerobot_home() / "studio" / "opened.json"


def _below(home: Path) -> Iterator[Path]:
    """Folders with recordings; those that edits left behind come with the recording that they were."""
    for folder in _folders(home):
        if (folder / _INFO).is_file():
            yield folder
        else:
            yield from (each for each in _folders(folder) if (each / _INFO).is_file())


def _folders(parent: Path) -> list[Path]:
    try:
        names = {entry.name for entry in os.scandir(parent) if not entry.name.startswith(".") and entry.is_dir()}
    except OSError:
        return []
    return [parent / name for name in sorted(names) if _BACKUP.sub("", name) not in names - {name}]

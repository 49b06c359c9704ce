"""Requests of a program about datasets, a JSON object each, and the answers."""

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lerobot.core.errors import LeRobotError
from lerobot.dataset_tools.description.pictures import film, picture
from lerobot.dataset_tools.description.recording import Json, Recording
from lerobot.datasets.format.layout import INFO_PATH


class Request(BaseModel):
    """What is asked.

    Attributes:
        root: folder of the dataset.
        ask: `summary`, `describe`, `files` or `episode` (see `Recording`), `picture` or `film` (see `pictures`).
        episode: number of the episode.
        frame: of the episode.
        camera: feature of the camera.
        first: of the episodes that `describe` lists.
        count: how many it lists; all if None.
    """

    model_config = ConfigDict(extra="forbid")

    root: Path
    ask: Literal["summary", "describe", "files", "episode", "picture", "film"]
    episode: int = Field(default=0, ge=0)
    frame: int = Field(default=0, ge=0)
    camera: str | None = None
    first: int = Field(default=0, ge=0)
    count: int | None = Field(default=None, ge=0)


class Answers:
    """Answers requests; keeps the dataset of the last one open, until it changes or another one is asked for.

    Args:
        films: an empty folder for films, whose names tell for which opening of a dataset they were made.
    """

    def __init__(self, films: Path) -> None:
        self._films = films
        self._open: Recording | None = None
        self._openings = 0
        self._state: tuple[int, ...] = ()

    def line(self, text: str) -> str:
        """The answer to a line: `{"answer": ...}`, or `{"error": "one line"}`; never more than a line."""
        try:
            return json.dumps({"answer": self.answer(Request.model_validate_json(text))}, allow_nan=False)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            return json.dumps({"error": f"request: {'.'.join(map(str, first['loc'])) or text!r}: {first['msg']}"})
        except (LeRobotError, OSError) as error:
            return json.dumps({"error": " ".join(str(error).split())})

    def answer(self, request: Request) -> Json:
        """Answer one.

        Raises:
            DatasetError: there is no such thing, or a file is damaged.
        """
        recording = self._recording(request.root)
        match request.ask:
            case "summary":
                return recording.summary()
            case "describe":
                return recording.describe(request.first, request.count)
            case "files":
                return recording.files()
            case "episode":
                return recording.episode(request.episode)
            case "picture":
                return picture(recording, request.episode, request.frame, request.camera)
            case "film":
                path = self._films / f"{self._openings}-{request.episode}-{request.camera}.mp4"
                return film(recording, request.episode, request.camera or "", path)

    def _recording(self, root: Path) -> Recording:
        state = _state(root)
        if self._open is None or self._open.root != root or state != self._state:
            if self._open is not None:
                self._open.frames.reader.videos.close()
            self._open, self._state, self._openings = Recording(root), state, self._openings + 1
        return self._open


def _state(root: Path) -> tuple[int, ...]:
    """Differs once something was recorded or edited: an edit puts another folder into the place."""
    try:
        found = [root.stat(), (root / INFO_PATH).stat()]
    except OSError:
        return ()
    return tuple(number for each in found for number in (each.st_ino, each.st_mtime_ns))

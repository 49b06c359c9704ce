"""Pages of recordings: the list, and one with its films, curves, findings and edits."""

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from lerobot.core.errors import LeRobotError
from lerobot.core.paths import lerobot_home
from lerobot.studio.datasets.edits import COMMAND, Wish
from lerobot.studio.datasets.found import folder_of, opened_before, recordings, remember
from lerobot.studio.datasets.reader import Reader, findings
from lerobot.studio.runs.run import RUNNING, Run
from lerobot.studio.runs.store import Runs
from lerobot.studio.shell import form_fields, render

_MOST_LISTED = 500
"""Episodes on one page."""


def routes(reader: Reader) -> list[Route]:
    """The routes of this room.

    Args:
        reader: reads recordings.
    """
    pages = DatasetPages(reader)
    return [
        Route("/datasets", pages.index),
        Route("/datasets/view", pages.view),
        Route("/datasets/card", pages.card),
        Route("/datasets/episode", pages.episode),
        Route("/datasets/film", pages.film),
        Route("/datasets/file", pages.file),
        Route("/datasets/findings", pages.findings),
        Route("/datasets/edit", pages.edit, methods=["POST"]),
        Route("/datasets/edit/{run}", edit_part),
    ]


class DatasetPages:
    """Answers requests about recordings.

    Args:
        reader: reads them.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._videos: dict[Path, dict[str, Path]] = {}
        self._films: dict[str, Path] = {}

    async def index(self, request: Request) -> Response:
        """List what there is."""
        wanted = request.query_params.get("q", "")
        opened = await run_in_threadpool(opened_before)
        found = await run_in_threadpool(recordings, lerobot_home(), opened, wanted)
        return render(request, "datasets.html", found=found, wanted=wanted, home=lerobot_home())

    async def view(self, request: Request) -> Response:
        """Show one; `run` names an edit that has just been done."""
        root = await run_in_threadpool(_root, request)
        first = _number(request, "first") if "first" in request.query_params else 0
        told = await self._reader.ask("describe", root, first=first, count=_MOST_LISTED)
        self._videos.pop(root, None)  # which may have been edited
        if not root.is_relative_to(lerobot_home()):
            await run_in_threadpool(remember, root)
        runs: Runs = request.app.state.runs
        done = next((run for run in runs.all() if run.id == request.query_params.get("run")), None)
        return render(request, "dataset.html", told=told, root=root, done=done, first=first, most=_MOST_LISTED)

    async def card(self, request: Request) -> Response:
        """Tasks and the first picture of one, for the list."""
        try:
            root = await run_in_threadpool(_root, request)
            told = await self._reader.ask("summary", root)
            picture = await self._reader.ask("picture", root) if told["total_episodes"] else {"jpeg": None}
        except LeRobotError as error:
            return render(request, "dataset_card.html", tasks=[], jpeg=None, problem=str(error))
        return render(request, "dataset_card.html", tasks=told["tasks"], jpeg=picture["jpeg"], problem="")

    async def episode(self, request: Request) -> Response:
        """Give the numbers of an episode."""
        return await _json(request, lambda root: self._reader.ask("episode", root, episode=_number(request)))

    async def film(self, request: Request) -> Response:
        """Have a film made of a camera that the browser cannot play; `file` names it."""

        async def make(root: Path) -> dict[str, Any]:
            camera = request.query_params.get("camera", "")
            told = await self._reader.ask("film", root, episode=_number(request), camera=camera)
            path = Path(told["film"])
            self._films[path.name] = path
            return {"file": path.name, "from_s": told["from_s"], "to_s": told["to_s"]}

        return await _json(request, make)

    async def file(self, request: Request) -> Response:
        """Serve a video, or the part of it that is asked for; only what the description of the recording names."""
        root = await run_in_threadpool(_root, request)
        if root not in self._videos:
            names = (await self._reader.ask("files", root))["files"]
            self._videos[root] = {name: root / name for name in names if _stays_below(name)}
        name = request.query_params.get("name", "")
        path = self._videos[root].get(name) or self._films.get(name)
        if path is None or not await run_in_threadpool(path.is_file):
            raise HTTPException(404, "The recording has no such video")
        return FileResponse(path, media_type="video/mp4", headers={"Cache-Control": "private, no-cache"})

    async def findings(self, request: Request) -> Response:
        """Check the recording; a page that goes away ends that."""
        pictures = request.query_params.get("pictures") == "1"

        async def check(root: Path) -> dict[str, Any]:
            asking = asyncio.create_task(findings(root, pictures=pictures))
            while not (await asyncio.wait([asking], timeout=1))[0]:
                if await request.is_disconnected():
                    asking.cancel()
                    return {}
            return {"findings": asking.result()}

        return await _json(request, check)

    async def edit(self, request: Request) -> Response:
        """Show the command line of an edit; start it once the person is sure."""
        pairs = await form_fields(request)
        fields = dict(pairs)
        ticked = [value for name, value in pairs if name == "episode"] or [fields.get("current", "")]
        try:
            root = await run_in_threadpool(folder_of, fields.get("root", ""))
            numbers = [int(value) for value in ticked if value.isdecimal()]
            wish = Wish(root, fields.get("do", ""), numbers, fields)
            words = wish.arguments()
            if fields.get("sure") == "yes":
                runs: Runs = request.app.state.runs
                run = await run_in_threadpool(runs.start, COMMAND, words)
                return _edit_page(request, run, root, fields.get("current", ""))
        except LeRobotError as error:
            return render(request, "dataset_edit.html", problem=str(error))
        line = shlex.join(["lerobot", COMMAND, *words])
        return render(request, "dataset_edit.html", problem="", line=line, wish=wish, fields=pairs)


def edit_part(request: Request) -> Response:
    """What an edit says; the recording as it is now once it is done."""
    runs: Runs = request.app.state.runs
    run = runs.get(request.path_params["run"])
    return _edit_page(request, run, _root(request), request.query_params.get("episode", ""))


def _edit_page(request: Request, run: Run, root: Path, episode: str) -> Response:
    if run.state != RUNNING and run.code == 0:
        at = f"#{episode}" if episode.isdecimal() else ""
        return Response(headers={"HX-Redirect": f"/datasets/view?{urlencode({'root': root, 'run': run.id})}{at}"})
    query = urlencode({"root": root, "episode": episode})
    return render(request, "dataset_run.html", run=run, query=query)


async def _json(request: Request, answer: Callable[[Path], Awaitable[dict[str, Any]]]) -> Response:
    """An answer for the script of the page; errors are one of it."""
    try:
        return JSONResponse(await answer(await run_in_threadpool(_root, request)))
    except LeRobotError as error:
        return JSONResponse({"error": str(error)}, 422)


def _stays_below(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _root(request: Request) -> Path:
    """The recording that the address names, by folder or by name."""
    if name := request.query_params.get("repo_id"):
        return folder_of(str(lerobot_home() / name))
    return folder_of(request.query_params.get("root", ""))


def _number(request: Request, name: str = "episode") -> int:
    text = request.query_params.get(name, "")
    if not text.isdecimal() or len(text) > 9:
        raise LeRobotError(f"{text!r} is no number of an episode.")
    return int(text)

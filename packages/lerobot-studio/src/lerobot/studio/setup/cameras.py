"""Pictures of attached cameras, as long as a page looks."""

import asyncio
import contextlib
import json
import mimetypes
import os
import shlex
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from lerobot.core.errors import LeRobotError
from lerobot.core.paths import lerobot_home
from lerobot.studio.answer import PLAIN, words_of

STUBBORN_S = 5.0
"""How long the command may take to end."""


def folder() -> Path:
    """Where the pictures are."""
    return lerobot_home() / "studio" / "cameras"


async def watch(request: Request) -> Response:
    """Stream events: `line`, then `cameras` whenever there are new pictures, or `problem` in words."""
    return StreamingResponse(_events(request.query_params.get("type", "")), media_type="text/event-stream")


def picture(request: Request) -> Response:
    """Hand out the newest picture of a camera."""
    name = request.path_params["name"]
    if Path(name).name != name or name.startswith(".") or not (folder() / name).is_file():
        raise LeRobotError(f"There is no picture {name!r}.")
    # As a whole: the next picture, of another length, may come while this one is sent.
    return Response((folder() / name).read_bytes(), media_type=mimetypes.guess_type(name)[0])


async def _events(camera_type: str) -> AsyncIterator[str]:
    chosen = [camera_type] if camera_type and not camera_type.startswith("-") else []
    arguments = [*chosen, "--watch=true", "--format=json", f"--output_dir={folder()}"]
    yield _event("line", shlex.join(["lerobot", "find-cameras", *arguments]))
    # The command lives as long as this answer: when the page is closed the cameras are free again.
    async with _looking(arguments) as (pictures, complaints):
        complaint = asyncio.create_task(complaints.read())
        while line := await pictures.readline():
            yield _event("cameras", [_shown(camera) for camera in json.loads(line)])
        yield _event("problem", (await complaint).decode(errors="replace").strip())


@contextlib.asynccontextmanager
async def _looking(arguments: list[str]) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamReader]]:
    """Run `find-cameras` within the block; gives what it says, and what it says of errors."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *words_of("find-cameras", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        env={**os.environ, **PLAIN},
    )
    try:
        yield process.stdout, process.stderr  # type: ignore[misc] # both are pipes
    finally:
        if process.returncode is None:
            process.terminate()
            # Nothing is awaited here: the task that ends may be one that is cancelled.
            asyncio.get_running_loop().call_later(STUBBORN_S, _kill, process)


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()


def _shown(camera: dict[str, Any]) -> dict[str, Any]:
    """What a page shows of a camera; the picture's address changes with the picture."""
    path = camera.get("picture")
    source = None
    if path and (file := Path(path)).is_file():
        source = f"/setup/picture/{file.name}?t={file.stat().st_mtime_ns}"
    return {
        "type": camera["camera"],
        "name": str(camera.get("name", "")),
        "id": str(camera.get("id")),
        "picture": source,
    }


def _event(name: str, value: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(value)}\n\n"

"""The application: the routes of every room behind the one check of who may use them."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from lerobot.core.durable import make_folder
from lerobot.core.errors import LeRobotError, PluginError
from lerobot.studio import home
from lerobot.studio.access import Access
from lerobot.studio.datasets import pages as datasets
from lerobot.studio.datasets.reader import Reader
from lerobot.studio.forms import pages as forms
from lerobot.studio.forms.remembered import Remembered
from lerobot.studio.learn import pages as learn
from lerobot.studio.live import routes as live
from lerobot.studio.live.commands import serve_commands
from lerobot.studio.live.live import Live, RefusedError
from lerobot.studio.runs import pages as runs
from lerobot.studio.runs.store import Runs
from lerobot.studio.setup import pages as setup
from lerobot.studio.shell import STATIC, render, templates


def make_app(folder: Path, token: str, host: str, port: int) -> Starlette:
    """Join the rooms.

    Args:
        folder: of everything that the studio keeps.
        token: opens the pages.
        host: what the studio listens on.
        port: its port.
    """
    make_folder(folder)
    folder.chmod(0o700)
    reader = Reader()
    app = Starlette(
        routes=[
            *home.routes(),
            *forms.routes(),
            *runs.routes(),
            *datasets.routes(reader),
            *live.routes(),
            *setup.routes(),
            *learn.routes(),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Access, token=token, host=host, port=port)],
        exception_handlers={LeRobotError: _explain, HTTPException: _explain_status},
        lifespan=_lifespan,
    )
    app.state.reader = reader
    app.state.templates = templates()
    app.state.live = Live(lambda run, word: app.state.runs.get(run).word(word))
    app.state.runs = Runs(folder / "runs", app.state.live.environment)
    app.state.remembered = Remembered(folder / "forms")
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    async with serve_commands(app.state.live):
        yield
        await app.state.reader.end()


def _explain(request: Request, error: Exception) -> Response:
    """An error that a person can act on, as a page."""
    statuses = ((RefusedError, 409), (LookupError, 404), (PluginError, 500), (LeRobotError, 400))
    status = next(status for kind, status in statuses if isinstance(error, kind))
    return render(request, "error.html", status, text=str(error))


def _explain_status(request: Request, error: Exception) -> Response:
    status, text = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, str(error))
    return render(request, "error.html", status, text=f"{text}: {request.url.path}")

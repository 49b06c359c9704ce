"""Pages of runs: the list, and one run with its log, its questions and its end."""

import time
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from lerobot.core.errors import LeRobotError
from lerobot.studio.runs.run import RUNNING, Run
from lerobot.studio.runs.store import Runs
from lerobot.studio.shell import form_fields, render

REFRESH_PAGE = {"HX-Refresh": "true"}


def routes() -> list[Route]:
    """The routes of this room."""
    return [
        Route("/runs", runs_page),
        Route("/runs/remove", remove_ended, methods=["POST"]),
        Route("/run/{run}", run_page),
        Route("/run/{run}/log", log_part),
        Route("/run/{run}/log.txt", log_file),
        Route("/run/{run}/{action:str}", act, methods=["POST"]),
    ]


def runs_page(request: Request) -> Response:
    """List the runs."""
    return render(request, "runs.html", runs=_runs(request).all())


def run_page(request: Request) -> Response:
    """Show one run."""
    return _page(request, _runs(request).get(request.path_params["run"]))


def log_part(request: Request) -> Response:
    """What changes while a run goes on; nothing if nothing did, and the whole page anew at its end."""
    run = _runs(request).get(request.path_params["run"])
    if run.state != RUNNING:
        return Response(headers=REFRESH_PAGE)
    if request.query_params.get("size") == str(run.size):
        return Response(status_code=204)
    return render(request, "log.html", run=run)


def log_file(request: Request) -> Response:
    """Hand out the whole log."""
    run = _runs(request).get(request.path_params["run"])
    if not run.log.is_file():
        raise LeRobotError(f"Run {run.id} has no log.")
    return FileResponse(run.log, media_type="text/plain; charset=utf-8", filename=f"{run.id}.txt")


async def act(request: Request) -> Response:
    """Interrupt, answer, start again or remove a run."""
    fields = dict(await form_fields(request))
    return await run_in_threadpool(_act, request, fields)


def _act(request: Request, fields: dict[str, str]) -> Response:
    runs, action = _runs(request), request.path_params["action"]
    run = runs.get(request.path_params["run"])
    try:
        if action == "interrupt":
            run.interrupt()
        elif action == "answer":
            run.write(fields.get("line", ""))
        elif action == "again":
            run = runs.start(run.command, run.arguments)
        elif action == "remove":
            run.remove()
            return RedirectResponse("/runs", 303)
        else:
            raise LeRobotError(f"A run cannot be told to {action!r}.")
    except LeRobotError as error:
        return _page(request, run, str(error), 409)
    return RedirectResponse(f"/run/{run.id}", 303)


def remove_ended(request: Request) -> Response:
    """Remove every run that has ended."""
    for run in _runs(request).all():
        if run.state != RUNNING:
            run.remove()
    return RedirectResponse("/runs", 303)


def _page(request: Request, run: Run, problem: str = "", status: int = 200) -> Response:
    change = f"/command/{run.command}?{urlencode({'run': run.id})}"
    return render(request, "run.html", status, run=run, problem=problem, change=change, now_s=time.time())


def _runs(request: Request) -> Runs:
    runs: Runs = request.app.state.runs
    return runs

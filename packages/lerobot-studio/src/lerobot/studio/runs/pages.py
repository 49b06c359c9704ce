"""Pages of runs: the list, and one run with its log, its questions and its end."""

from collections.abc import Iterator
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from lerobot.core.errors import LeRobotError
from lerobot.studio.live.routes import page_of
from lerobot.studio.runs.run import RUNNING, Run
from lerobot.studio.runs.store import Runs
from lerobot.studio.shell import form_fields, render


def routes() -> list[Route]:
    """The routes of this room."""
    return [
        Route("/runs", runs_page),
        Route("/runs/remove", remove_ended, methods=["POST"]),
        Route("/run/{run}", run_page),
        Route("/run/{run}/log", log_part),
        Route("/run/{run}/log.txt", log_file),
        Route("/run/{run}/{action}", act, methods=["POST"]),
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
        return Response(headers={"HX-Refresh": "true"})
    if request.query_params.get("size") == str(run.size):
        return Response(status_code=204)
    return render(request, "log.html", run=run)


def log_file(request: Request) -> Response:
    """Hand out the whole log."""
    run = _runs(request).get(request.path_params["run"])
    if not run.log.is_file():
        raise LeRobotError(f"Run {run.id} has no log.")
    headers = {"Content-Disposition": f'attachment; filename="{run.id}.txt"'}
    return StreamingResponse(_chunks(run.log), media_type="text/plain; charset=utf-8", headers=headers)


def _chunks(log: Path) -> Iterator[bytes]:
    """A file that may grow meanwhile, to its end."""
    with log.open("rb") as file:
        while chunk := file.read(65_536):
            yield chunk


async def act(request: Request) -> Response:
    """Interrupt, answer or remove a run."""
    fields = dict(await form_fields(request))
    return await run_in_threadpool(_act, request, fields)


def _act(request: Request, fields: dict[str, str]) -> Response:
    action, run = request.path_params["action"], _runs(request).get(request.path_params["run"])
    try:
        if action == "interrupt":
            run.interrupt()
        elif action == "answer":
            request.app.state.live.require_start(page_of(request, fields.items()))
            run.write(fields.get("line", ""))
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
    return render(request, "run.html", status, run=run, problem=problem)


def _runs(request: Request) -> Runs:
    runs: Runs = request.app.state.runs
    return runs

"""Pages around a command's form; a room that has more to show around one makes its page from the same routes."""

import os
import shlex
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from lerobot.core.cli.names import command_kind
from lerobot.core.config import CommandConfig
from lerobot.core.errors import LeRobotError
from lerobot.core.registry import registry
from lerobot.studio.forms.devices import drives_robot, require_free_ports
from lerobot.studio.forms.form import Form, check, from_arguments, from_fields
from lerobot.studio.forms.remembered import Remembered
from lerobot.studio.live.jog_flags import BROWSER, GIVEN, jog_flags
from lerobot.studio.live.routes import page_of
from lerobot.studio.runs.store import Runs
from lerobot.studio.shell import form_fields, is_fragment, render

_SHELL = frozenset({">", "|", "&", "&&", ";"})
Values = Callable[[Request], Mapping[str, Any]]
Guard = Callable[[Form, Mapping[str, str]], Mapping[str, Any]]
"""Looks at a sound form before it is started, and at all that was sent; what it gives is shown in place of starting."""


def routes() -> list[Route]:
    """The routes of this room."""
    return [
        *command_routes("/command/{name}"),
        *command_routes("/teleoperate", "teleoperate", "control.html", _driving),
        *command_routes("/record", "record", "control.html", _driving),
        Route("/run/{run}/again", again, methods=["POST"]),
    ]


def command_routes(
    path: str,
    command: str = "",
    template: str = "form.html",
    values: Values = lambda _request: {},
    guard: Guard = lambda _form, _fields: {},
) -> list[Route]:
    """A page with the form of a command, and what its buttons do.

    The page may be opened filled in: `?argument=--fps=30&argument=...`, or `?run=ID` with the arguments of a run.

    Args:
        path: of the page.
        command: registered name; if empty, `name` in the path.
        template: extends `form.html`.
        values: what else the template shows; called in a thread.
        guard: what may keep it from being started; called in a thread.
    """

    def show(request: Request) -> Response:
        name, model = _command(request, command)
        form = from_arguments(name, model, _first_arguments(request, name), os.environ)
        return render(request, template, **_values(form), **values(request))

    async def submit(request: Request) -> Response:
        return await run_in_threadpool(answer, request, dict(await form_fields(request)))

    def answer(request: Request, fields: dict[str, str]) -> Response:
        form = from_fields(*_command(request, command), fields, os.environ)
        wish = fields.get("wish")
        if is_fragment(request):
            return render(request, "line.html" if wish == "line" else "fields.html", form=form)
        held: Mapping[str, Any] = {}
        if wish == "start":
            started, form, held = _start(request, form, fields, guard)
            if started is not None:
                return started
        return render(request, template, 422 if form.problems else 200, **_values(form), **values(request), **held)

    return [Route(path, show), Route(path, submit, methods=["POST"])]


async def again(request: Request) -> Response:
    """Start what a run did once more."""
    return await run_in_threadpool(_again, request, dict(await form_fields(request)))


def _again(request: Request, fields: dict[str, str]) -> Response:
    run = request.app.state.runs.get(request.path_params["run"])
    _, model = _command(request, run.command)
    form = from_arguments(run.command, model, run.arguments, os.environ)
    started, form, _ = _start(request, form, fields, lambda _form, _fields: {})
    return started or render(request, "form.html", 422, here=f"/command/{run.command}", **_values(form))


def _start(
    request: Request, form: Form, fields: Mapping[str, str], guard: Guard
) -> tuple[Response | None, Form, Mapping[str, Any]]:
    """Start what a form stands for; else the form with its problems, or what the guard shows."""
    runs: Runs = request.app.state.runs
    remembered: Remembered = request.app.state.remembered
    if drives_robot(form.model):
        request.app.state.live.require_start(page_of(request, fields.items()))
    form = _with_jog(form)
    config = check(form, os.environ)
    held = {} if form.problems else guard(form, fields)
    if form.problems or held:
        return None, form, held
    try:
        if config is not None:
            require_free_ports(config, runs.running())
        run = runs.start(form.command, form.arguments)
    except LeRobotError as error:
        form.problems[""] = [str(error)]
        return None, form, {}
    # Another robot has other keys: the page asks for them anew.
    kept = [argument for argument in form.arguments if BROWSER not in form.arguments or not argument.startswith(GIVEN)]
    remembered.keep(form.command, kept)
    return RedirectResponse(f"/run/{run.id}", 303), form, {}


def _with_jog(form: Form) -> Form:
    """The form of a command that pages may move, where it is one."""
    try:
        flags = jog_flags(form.arguments)
    except LeRobotError as error:
        check(form, os.environ)  # what is wrong with a field is said there
        form.problems.pop("--teleop.keys", None)
        if not form.problems:
            form.problems[""] = [str(error)]
        return form
    return from_arguments(form.command, form.model, [*form.arguments, *flags], os.environ) if flags else form


def _driving(request: Request) -> Mapping[str, Any]:
    """Runs of this page that go on."""
    command = request.url.path.strip("/")
    runs: Runs = request.app.state.runs
    return {"running": [run for run in runs.running() if run.command == command]}


def _command(request: Request, command: str) -> tuple[str, type[CommandConfig]]:
    name = command or request.path_params["name"]
    model: type[CommandConfig] = registry.config_class(command_kind(name), name)
    return name, model


def _first_arguments(request: Request, name: str) -> list[str]:
    query = request.query_params
    if "run" in query:
        runs: Runs = request.app.state.runs
        return runs.get(query["run"]).arguments
    if "argument" in query:
        return [word.replace("\0", "") for word in query.getlist("argument")]
    remembered: Remembered = request.app.state.remembered
    return [] if "empty" in query else remembered.arguments(name)


def _values(form: Form) -> dict[str, Any]:
    text, _, more = (form.model.__doc__ or "").strip().partition("\n\n")
    examples = [(example, _link(form.command, example)) for example in form.model.examples]
    about = {"summary": text, "explanation": " ".join(more.split()), "examples": examples}
    return {"form": form, **about}


def _link(command: str, example: str) -> str:
    """Query that fills the form in with an example; empty for a line of another command."""
    try:
        program, name, *arguments = shlex.split(example)
    except ValueError:
        return ""
    own = (program, name) == ("lerobot", command) and not _SHELL & {*arguments}
    return f"?{urlencode([('argument', argument) for argument in arguments])}" if own else ""

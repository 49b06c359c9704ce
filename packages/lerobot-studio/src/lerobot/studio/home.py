"""The first page, and the list of commands."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lerobot.core.cli.group import summary
from lerobot.core.registry import registry
from lerobot.core.safety.loops import running_loops
from lerobot.studio.shell import render

_KINDS = {
    "robot": "Robots",
    "teleoperator": "Teleoperators",
    "camera": "Cameras",
    "policy": "Policies",
    "env": "Environments",
}


def routes() -> list[Route]:
    """The routes of this room."""
    return [Route("/", home_page), Route("/commands", commands_page)]


def home_page(request: Request) -> Response:
    """Show what runs, what is installed and what comes next."""
    runs = request.app.state.runs.running()
    pids = {run.pid for run in runs}
    others = [loop for loop in running_loops() if loop.pid not in pids]
    installed = {title: registry.names(kind) for kind, title in _KINDS.items()}
    commands = registry.names("command")
    return render(request, "home.html", runs=runs, others=others, installed=installed, commands=commands)


def commands_page(request: Request) -> Response:
    """List every command; none is imported for that."""
    commands = {name: summary(name) for name in registry.names("command")}
    return render(request, "commands.html", commands=commands)

"""The first page, and the list of commands."""

from urllib.parse import urlencode

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
_CAMERA = {"type": "sim", "width": "320", "height": "240", "fps": "30"}
_ARM = ["--robot.type=sim_so101", *(f"--robot.cameras.front.{name}={value}" for name, value in _CAMERA.items())]
_DRIVE = [*_ARM, "--teleop.type=browser", "--fps=30"]
_RECORD = [
    *_ARM,
    "--teleop.type=scripted",
    "--dataset.repo_id=me/cubes",
    "--dataset.single_task=Lift the cube",
    "--dataset.num_episodes=3",
]


def routes() -> list[Route]:
    """The routes of this room."""
    return [Route("/", home_page), Route("/commands", commands_page)]


def home_page(request: Request) -> Response:
    """Show what runs, what is installed and what comes next."""
    runs = request.app.state.runs.running()
    pids = {run.pid for run in runs}
    others = [loop for loop in running_loops() if loop.pid not in pids]
    installed = {title: registry.names(kind) for kind, title in _KINDS.items()}
    steps = {"drive": _filled_in("/teleoperate", _DRIVE), "record": _filled_in("/record", _RECORD)}
    commands = registry.names("command")
    return render(request, "home.html", runs=runs, others=others, installed=installed, commands=commands, steps=steps)


def _filled_in(path: str, arguments: list[str]) -> str:
    """Address of a form that is filled in."""
    return f"{path}?{urlencode([('argument', argument) for argument in arguments])}"


def commands_page(request: Request) -> Response:
    """List every command; none is imported for that."""
    commands = {name: summary(name) for name in registry.names("command")}
    return render(request, "commands.html", commands=commands)

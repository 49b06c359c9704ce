"""The page on which devices are found, set up, calibrated and examined."""

import os
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lerobot.core.commands.doctor import DoctorConfig
from lerobot.core.paths import lerobot_home
from lerobot.core.registry import registry
from lerobot.studio.answer import Answer, ask
from lerobot.studio.datasets.found import recordings
from lerobot.studio.forms.form import check, from_fields
from lerobot.studio.forms.pages import command_routes
from lerobot.studio.setup import cameras
from lerobot.studio.shell import form_fields, render


def routes() -> list[Route]:
    """The routes of this room."""
    return [
        # The device of the form is calibrated; other buttons send the same fields elsewhere.
        *command_routes("/setup", "calibrate", "setup.html", _values),
        Route("/setup/ports", ports),
        Route("/setup/doctor", doctor),
        Route("/setup/examine", examine, methods=["POST"]),
        Route("/setup/cameras", cameras.watch),
        Route("/setup/picture/{name}", cameras.picture),
    ]


def ports(request: Request) -> Response:
    """The serial ports that exist now."""
    return render(request, "ports.html", answer=ask("find-port", "--list_only=true", "--format=json"))


def doctor(request: Request) -> Response:
    """What `lerobot doctor` finds."""
    return render(request, "doctor.html", answer=ask("doctor", "--format=json"))


async def examine(request: Request) -> Response:
    """What is wrong with the device of the form; nothing moves."""
    fields = await form_fields(request)
    return render(request, "findings.html", answer=await run_in_threadpool(_examined, fields))


def _examined(fields: list[tuple[str, str]]) -> Answer:
    device = [(name, text) for name, text in fields if name.startswith(("--robot.", "--teleop."))]
    form = from_fields("doctor", DoctorConfig, {**dict(device), "SUBJECT": "hardware"}, os.environ)
    check(form, os.environ)
    if form.problems:
        said = [f"{flag} {text}".strip() for flag, texts in form.problems.items() for text in texts]
        return Answer(form.line, 2, "", "\n".join(said))
    return ask("doctor", *form.arguments, "--format=json")


def _values(_request: Request) -> Mapping[str, Any]:
    found = [each for each in recordings(lerobot_home(), [], "") if each.cameras and each.episodes]
    return {"camera_types": registry.names("camera"), "recordings": found}

"""Every page in the one frame, and what a form sent."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
_MOST_FIELDS = 5000
_LINKS = {
    "/": "Home",
    "/setup": "Set up",
    "/teleoperate": "Teleoperate",
    "/record": "Record",
    "/datasets": "Datasets",
    "/train": "Train",
    "/evaluate": "Evaluate",
    "/rollout": "Roll out",
    "/runs": "Runs",
    "/commands": "All commands",
}
_FORMS = {
    "teleoperate": "/teleoperate",
    "record": "/record",
    "train": "/train",
    "eval": "/evaluate",
    "rollout": "/rollout",
}
"""Pages around the forms of some commands; the others have `/command/NAME`."""


def templates() -> jinja2.Environment:
    """The templates of every room; what is put into them is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["form_of"] = lambda command: _FORMS.get(command, f"/command/{command}")
    return environment


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Answer with a page.

    Args:
        request: what is answered.
        template: file in `pages/`; extends `base.html`, or is a fragment that replaces a part of a page.
        status: of the answer.
        **values: what the template shows.
    """
    state = request.app.state
    present = {route.path for route in request.app.routes if hasattr(route, "path")}
    links = {path: name for path, name in _LINKS.items() if path in present}
    text = state.templates.get_template(template).render({"links": links, "here": request.url.path, **values})
    return HTMLResponse(text, status)


async def form_fields(request: Request) -> list[tuple[str, str]]:
    """What a form sent, in order: names and texts, as browsers encode them."""
    body = await request.body()
    text = body.decode("utf-8", errors="replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=_MOST_FIELDS)
    except ValueError:  # more fields than any form has
        return []
    return [(name, value.replace("\0", "").replace("\r\n", "\n").strip()) for name, value in pairs]


def is_fragment(request: Request) -> bool:
    """Whether a part of a page is asked for, by htmx."""
    return "hx-request" in request.headers

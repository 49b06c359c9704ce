"""The page on which a policy is let at a robot: a check first, and nothing moves before it is read."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lerobot.studio.answer import Answer, ask
from lerobot.studio.forms.form import Form
from lerobot.studio.forms.pages import command_routes
from lerobot.studio.shell import render

CHECKED = ("--policy.path", "--policy.", "--robot.", "--rename_map")
"""What a rollout and a check have in common."""
KEPT = 32


class Checks:
    """What `lerobot check` said of command lines; the oldest are forgotten."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, ...], Answer] = OrderedDict()

    def present(self, arguments: Sequence[str]) -> Answer | None:
        """What it said of these; None if it was not asked."""
        return self._answers.get(_common(arguments))

    def forget(self, arguments: Sequence[str]) -> None:
        """What was seen counts for one start: a policy may be another one tomorrow."""
        self._answers.pop(_common(arguments), None)

    def make(self, arguments: Sequence[str]) -> Answer:
        """Ask it now."""
        common = _common(arguments)
        if any(word.startswith("--policy.path=") for word in common):
            answer = ask("check", *common)
        else:
            line = "lerobot check"
            answer = Answer(line, 0, "This policy is not saved on this computer: there is nothing to check before.")
        self._answers[common] = answer
        while len(self._answers) > KEPT:
            self._answers.popitem(last=False)
        return answer


def rollout_routes(policies: Callable[[Request], Any]) -> list[Route]:
    """The form of `rollout`, behind a check."""
    checks = Checks()

    def values(request: Request) -> dict[str, Any]:
        return {"policies": policies(request)}

    def guard(form: Form, fields: Mapping[str, str]) -> Mapping[str, Any]:
        seen = checks.present(form.arguments)
        if seen is not None and (seen.code == 0 or fields.get("insist") == "yes"):
            checks.forget(form.arguments)
            return {}
        return {"answer": checks.make(form.arguments)}

    return [
        *command_routes("/rollout", "rollout", "rollout.html", values, guard),
        Route("/rollout/words/{run}", words),
    ]


def words(request: Request) -> Response:
    """Buttons of what a run can be told beside what every recording is told."""
    return render(request, "words.html", run=request.app.state.runs.get(request.path_params["run"]))


def _common(arguments: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in arguments if word.startswith(CHECKED))

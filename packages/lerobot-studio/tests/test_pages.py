"""Pages: every command has one, what is shown is escaped, and nothing heavy is imported for them."""

import html
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from studio_client import Studio

from lerobot.core.registry import registry

HEAVY = {"numpy", "torch", "pyarrow", "cv2", "av", "PIL", "rich", "huggingface_hub", "datasets"}
EVERY_PAGE = """
import json, os, sys
from starlette.requests import Request
from lerobot.core.config import load
from lerobot.core.registry import registry
from lerobot.studio import command
from lerobot.studio.forms.form import from_arguments
from lerobot.studio.shell import templates
for name in registry.names("command"):
    from_arguments(name, registry.config_class("command", name), [], {})
for kind in ("robot", "teleoperator", "camera", "policy", "env", "processor"):
    for name in registry.names(kind):
        registry.config_class(kind, name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_no_page_imports_what_is_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", EVERY_PAGE], capture_output=True, text=True, check=True, timeout=120)
    assert not HEAVY & set(json.loads(done.stdout))


class Outline(HTMLParser):
    """Ids, labels and what they are for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.wanted: set[str] = set()
        self.controls: dict[str, bool] = {}
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if identity := given.get("id"):
            self.ids.append(identity)
        self.wanted |= {given["for"] or ""} if "for" in given else set()
        self.wanted |= set((given.get("aria-describedby") or "").split())
        if tag in {"input", "select", "textarea"} and given.get("type") != "hidden":
            self.controls[given.get("id") or given.get("name") or ""] = "aria-label" in given
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)


@pytest.mark.parametrize(
    "command",
    [
        "teleoperate",
        *[pytest.param(n, marks=pytest.mark.slow) for n in registry.names("command") if n != "teleoperate"],
    ],
)
def test_every_command_has_a_page_whose_fields_have_labels(studio: Studio, command: str) -> None:
    answer = studio.get(f"/command/{command}")
    assert answer.status == 200
    outline = Outline(answer.text)
    assert len(set(outline.ids)) == len(outline.ids)
    assert outline.wanted <= set(outline.ids)
    assert all(name in outline.wanted for name, labelled in outline.controls.items() if not labelled)
    assert not outline.inline
    assert studio.post(f"/command/{command}", {"wish": "form"}).status == 200


def test_the_first_pages(studio: Studio) -> None:
    home = studio.get("/").text
    links = re.findall(r'href="((?:/teleoperate|/record)\?[^"]+)"', home)
    assert len(links) == 2
    for link in links:
        page = studio.get(html.unescape(link)).text
        assert "--robot.type=sim_so101" in page
        assert 'name="more" rows="2" placeholder="--config_path=run.yaml"></textarea>' in page, (
            "every argument has its field"
        )
    commands = studio.get("/commands").text
    assert all(f">{name}</a>" in commands for name in registry.names("command"))
    assert studio.get("/command/no-such-command").status == 404
    assert studio.get("/no-such-page").status == 404


def test_problems_are_shown_where_they_are_and_nothing_is_started(studio: Studio) -> None:
    answer = studio.post("/teleoperate", {"wish": "start", "--fps": "<i>", "--robot.type": "fake"})
    assert answer.status == 422
    assert 'id="problem:--fps"' in answer.text
    assert 'value="&lt;i&gt;"' in answer.text
    assert "<i>" not in answer.text
    assert studio.app.state.runs.all() == []


def test_a_change_of_type_shows_other_fields(studio: Studio) -> None:
    fields = {"wish": "form", "--robot.type": "so101_follower", "--robot.unknown": "x"}
    part = studio.post("/teleoperate", fields, HX_Request="true").text
    assert part.lstrip().startswith('<div id="fields">')
    assert 'name="--robot.port"' in part
    line = studio.post("/teleoperate", {**fields, "wish": "line"}, HX_Request="true").text
    assert ">lerobot teleoperate --robot.type=so101_follower</code>" in line


def test_a_port_that_a_run_has_is_not_given_away(studio: Studio) -> None:
    run = studio.app.state.runs.start("find-port", [])
    arguments = ["--robot.type=so101_follower", "--robot.port=/dev/x", "--teleop.type=fake"]
    run.command, run.arguments = "teleoperate", arguments
    fields = {"wish": "start", **dict(word.split("=") for word in arguments)}
    answer = studio.post("/teleoperate", fields)
    assert answer.status == 422
    assert f"/dev/x is taken by run {run.id}, as its --robot.port" in answer.text


def test_a_broken_plugin_says_so_on_its_page(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    from lerobot.core.errors import PluginLoadError

    found = registry.config_class

    def broken(kind: str, name: str) -> type:
        if (kind, name) == ("robot", "fake"):
            raise PluginLoadError("robot 'fake' cannot be imported: no module named 'sdk'.", kind=kind, name=name)
        return found(kind, name)

    monkeypatch.setattr(registry, "config_class", broken)
    page = studio.get("/teleoperate?argument=--robot.type%3Dfake")
    assert page.status == 200
    assert "no module named &#39;sdk&#39;" in page.text

"""A robot that `lerobot new` wrote has its page in the studio, and moves there: nobody wrote a line for it."""

import site
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from studio_process import Studio, wait_for

from lerobot.core.commands.new import NewConfig
from lerobot.core.template.command import new
from lerobot.core.testing import ScriptedPrompter

if TYPE_CHECKING:
    from watched_page import WatchedPage

PAN = "shoulder_pan.pos"
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio in an environment where the plugin is installed, that sees the packages of this one."""
    folder = tmp_path_factory.mktemp("plugin")
    new(NewConfig(plugin="robot", name="my-arm", output_dir=folder), ScriptedPrompter())
    environment = folder / "environment"
    _run("uv", "venv", "-q", "--python", sys.executable, str(environment))
    packages = next(environment.glob("lib/python*/site-packages"))
    shared = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
    (packages / "shared.pth").write_text("\n".join(shared), encoding="utf-8")
    python = environment / "bin" / "python"
    _run(
        "uv", "pip", "install", "-q", "--no-deps", "--offline", "-p", str(python), "-e", str(folder / "lerobot-my-arm")
    )
    studio = Studio(folder / "studio", python)
    try:
        yield studio.start()
    finally:
        studio.close()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr


def test_it_has_a_page_and_moves(studio: Studio, open_page: "Callable[..., WatchedPage]") -> None:
    page = open_page().page
    page.goto(f"{studio.origin}/teleoperate?empty=1")
    page.select_option("[name='--robot.type']", "my_arm")
    # Its own field, from its own configuration.
    assert page.get_attribute("[name='--robot.port']", "placeholder") == "virtual"
    page.select_option("[name='--teleop.type']", "browser")
    page.wait_for_selector("[name='--teleop.keys']")
    page.click("button[name=wish][value=start]")
    page.wait_for_url("**/run/*")
    (run,) = studio.runs()
    assert "elbow_flex.pos" in " ".join(studio.runs()[run]["arguments"])
    page.wait_for_selector(".jog-rows button")
    page.evaluate("studio.on('tick', (tick) => { window.tick = tick })")
    first = wait_for(lambda: page.evaluate("window.tick?.observation"), "a measurement")
    button = page.locator(".jog-rows button").nth(1)
    button.hover()
    page.mouse.down()
    wait_for(lambda: abs(page.evaluate("window.tick.observation")[PAN] - first[PAN]) > 2, "a joint that moved")
    page.mouse.up()
    page.click("form[action$=interrupt] button")
    wait_for(lambda: studio.runs()[run]["ended_s"], "its end")
    assert studio.runs()[run]["code"] in {0, 130}, studio.said(run)

"""A person at the page: what is held moves the arm, what is let go does not, and the stop is one key away."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from studio_process import Studio, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from watched_page import WatchedPage

pytestmark = pytest.mark.browser

TELEOPERATE = [
    "--robot.type=fake",
    "--robot.cameras.front.type=fake",
    "--teleop.type=browser",
    # While the gate's soft begin lasts, an arm still comes to where a button that was let go has left its target.
    "--safety.ramp_s=0.1",
]
RECORD = [
    "--robot.type=fake",
    "--robot.cameras.front.type=fake",
    "--teleop.type=fake",
    "--dataset.repo_id=test/keys",
    "--dataset.single_task=lift",
    "--dataset.num_episodes=9",
    "--dataset.episode_time_s=60",
    "--dataset.reset_time_s=0",
    "--dataset.push_to_hub=false",
    "--play_sounds=false",
]
GAMEPAD = """
navigator.getGamepads = () => [window.pad ?? null];
window.hold = (axes, pressed = []) => {
  const buttons = Array.from({ length: 16 }, (_, index) => ({ value: pressed.includes(index) ? 1 : 0 }));
  window.pad = { id: "pad of a test", connected: true, axes, buttons };
};
"""
Opening = Callable[..., "WatchedPage"]


@pytest.fixture
def start(open_page: Opening, studio: Studio) -> Iterator[Callable[..., "Page"]]:
    """Start a command from its page, and give the page of its run once pictures come."""
    runs: list[Page] = []

    def starting(path: str, arguments: list[str], script: str = "") -> "Page":
        page = open_page().page
        if script:
            page.add_init_script(script)
        page.goto(f"{studio.origin}{path}")
        page.evaluate(
            "arguments => location.search = new URLSearchParams(arguments)", [["argument", each] for each in arguments]
        )
        page.wait_for_selector("button[value=start]")
        page.click("button[value=start]")
        page.wait_for_url("**/run/*")
        runs.append(page)
        page.wait_for_selector("canvas[data-camera=front]")
        if page.is_visible("#take-control"):
            page.click("#take-control")
        page.evaluate("studio.on('tick', (tick) => { window.tick = tick; })")
        wait_for(lambda: page.evaluate("window.tick !== undefined"), "ticks")
        return page

    yield starting
    for page in runs:
        if page.is_visible("text=Interrupt"):
            page.click("text=Interrupt")
            page.wait_for_selector("text=Run again")


def sent(page: "Page", key: str = "shoulder_pan.pos") -> float:
    return float(page.evaluate("key => window.tick.sent[key]", key))


def moves(page: "Page", key: str, sign: int, act: Callable[[], Any]) -> None:
    """Check that a key moves on while something is held."""
    before = sent(page, key)
    act()
    wait_for(lambda: (sent(page, key) - before) * sign > 2, f"{key} moves")


def stands(page: "Page", key: str) -> None:
    """Check that a key moves no more."""
    page.wait_for_timeout(600)
    before = sent(page, key)
    page.wait_for_timeout(400)
    assert sent(page, key) == before


def test_what_is_held_moves_the_arm(start: Callable[..., "Page"]) -> None:
    page = start("/teleoperate", TELEOPERATE, GAMEPAD)
    button = page.get_by_label("shoulder_pan.pos plus, while held")
    button.scroll_into_view_if_needed()
    button.hover()
    moves(page, "shoulder_pan.pos", 1, page.mouse.down)
    page.mouse.up()
    stands(page, "shoulder_pan.pos")

    moves(page, "shoulder_lift.pos", -1, lambda: page.keyboard.down("3"))
    page.keyboard.up("3")
    stands(page, "shoulder_lift.pos")

    button.focus()
    moves(page, "shoulder_pan.pos", 1, lambda: page.keyboard.down("Enter"))
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    stands(page, "shoulder_pan.pos")
    page.keyboard.up("Enter")

    page.locator(".pad").scroll_into_view_if_needed()
    box = page.locator(".pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    moves(page, "shoulder_lift.pos", 1, lambda: page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 2))
    page.mouse.up()
    stands(page, "shoulder_lift.pos")

    moves(page, "shoulder_pan.pos", -1, lambda: page.evaluate("window.hold([-1, 0.1, 0, 0])"))
    moves(page, "gripper.pos", -1, lambda: page.evaluate("window.hold([0, 0.1, 0, 0.1], [4])"))
    page.evaluate("window.hold([0.1, 0.1, -0.1, 0.1])")
    stands(page, "shoulder_pan.pos")


def test_esc_stops_and_two_clicks_release(start: Callable[..., "Page"], open_page: Opening, studio: Studio) -> None:
    page = start("/teleoperate", TELEOPERATE)
    watcher = open_page().page
    watcher.wait_for_selector("text=Another page controls; this one watches.")
    watcher.keyboard.press("Escape")
    wait_for(lambda: page.evaluate("window.tick.stopped"), "the arm holds")
    assert watcher.is_hidden("#release")
    page.wait_for_selector("#release")
    page.click("#release")
    page.wait_for_timeout(2000)
    assert page.evaluate("window.tick.stopped"), "one click is not enough"
    page.click("#release")
    wait_for(lambda: not page.evaluate("window.tick.stopped"), "the arm moves again")

    watcher.click("#take-control")
    page.wait_for_selector("#take-control")
    assert page.is_hidden(".jog"), "a page that watches offers nothing that moves"
    page.click("#take-control")
    page.wait_for_selector(".jog")


def test_episodes_end_by_keys_and_buttons(start: Callable[..., "Page"], studio: Studio) -> None:
    page = start("/record", RECORD)
    page.wait_for_selector("text=Episode 0 runs")
    page.keyboard.press("n")
    page.wait_for_selector("text=Episode 1 runs")
    page.click("[data-word=success]")
    page.wait_for_selector("text=Episode 2 runs")
    assert page.inner_text("[data-show=saved]") == "2 before it in this run"
    page.evaluate("studio.on('episode_start', (told) => { window.begun = told.index; })")
    page.keyboard.press("r")
    wait_for(lambda: page.evaluate("window.begun === 2"), "episode 2 begins again")
    assert page.inner_text("[data-show=saved]") == "2 before it in this run", "one that is thrown away does not count"
    page.keyboard.press("q")
    page.wait_for_selector("text=Run again")
    said = "".join(studio.said(run) for run in studio.runs() if "record" in run)
    assert "3 episodes saved by this run" in said, json.dumps(said[-2000:])


def test_a_page_that_lost_the_studio_says_so(open_page: Opening, studio: Studio) -> None:
    page = open_page(allowed=("WebSocket", "ERR_CONNECTION")).page
    page.wait_for_selector("text=This page controls.")
    assert page.is_hidden("#lost")
    studio.kill()
    page.wait_for_selector("#lost")
    assert "lerobot stop" in page.inner_text("#lost")

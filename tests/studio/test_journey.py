"""The whole way without hardware, in the browser: jog, record, delete, undo, train, evaluate, roll out.

`STUDIO_PICTURES=FOLDER` keeps a picture of each page on the way, in both sizes.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from studio_process import Studio, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from watched_page import WatchedPage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

CAMERA = "--robot.cameras={front: {type: sim, width: 160, height: 120, fps: 15}}"


class Traveller:
    """Somebody who looks at a studio for the first time, and does one step after the other."""

    def __init__(self, studio: Studio, watched: "WatchedPage") -> None:
        self.studio = studio
        self.watched = watched
        self.page: Page = watched.page
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.root = studio.home / "me" / "virtual"

    def go(self, path: str, *arguments: str) -> None:
        """Open a page, its form filled in."""
        query = "&".join(f"argument={quote(argument)}" for argument in arguments)
        self.page.goto(f"{self.studio.origin}{path}?{query}")

    def start(self) -> str:
        """Press Start, and give the id of the run."""
        known = set(self.studio.runs())
        self.page.click("button[name=wish][value=start]")
        self.page.wait_for_url("**/run/*")
        return (set(self.studio.runs()) - known).pop()

    def wait(self, found: Callable[[], Any], what: str, patience_s: float = 240.0) -> Any:
        """Wait; a stop is released, as anybody would: on a machine that is too busy the page may seem to be gone."""

        def look() -> Any:
            if self.page.is_visible("#release"):
                self.page.click("#release")
            return found()

        return wait_for(look, what, patience_s)

    def end(self, run: str) -> None:
        """Wait until a run has ended well."""
        told: dict[str, Any] = self.wait(lambda: _ended(self.studio, run), f"the end of {run}", 400)
        assert told["code"] == 0, self.studio.said(run)
        # The page of a run loads itself anew at its end; only then may somebody go elsewhere.
        self.page.wait_for_selector("text=Run again")

    def picture(self, name: str) -> None:
        """Keep a picture of this page in both sizes, if pictures are wanted; look for what does not fit a phone."""
        from watched_page import NARROW, WIDE

        page = self.page
        assert self.watched.poor_contrast() == []
        for size, (width, height) in {"narrow": NARROW, "wide": WIDE}.items():
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(600)
            assert self.watched.overflow() <= 0, f"{name} is too wide for {width} pixels"
            if folder := os.environ.get("STUDIO_PICTURES"):
                page.evaluate("scrollTo(0, 0)")
                page.screenshot(path=Path(folder) / f"{name}-{size}.png")


def _ended(studio: Studio, run: str) -> dict[str, Any] | None:
    told = studio.runs()[run]
    return told if told["ended_s"] else None


@pytest.fixture(scope="module")
def traveller(browser: "Browser", studio: Studio) -> "Iterator[Traveller]":
    """Has opened the printed address."""
    from watched_page import WIDE, WatchedPage

    context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
    watched = WatchedPage(context)
    watched.page.goto(studio.address)
    watched.page.wait_for_url(f"{studio.origin}/")
    yield Traveller(studio, watched)
    context.close()


@pytest.fixture(autouse=True)
def _nothing_goes_wrong(traveller: Traveller) -> Iterator[None]:
    yield
    traveller.watched.require_clean()


def test_drive_the_virtual_arm(traveller: Traveller) -> None:
    page = traveller.page
    traveller.picture("home")
    page.click("text=Drive the virtual arm")
    page.wait_for_url("**/teleoperate?**")
    assert page.input_value("[name='--robot.type']") == "sim_so101"
    page.fill("[name='name:--robot.cameras']", "wrist")
    page.select_option("[name='type:--robot.cameras']", "sim")
    page.click("[name=add][value='--robot.cameras']")
    page.wait_for_selector("[name='--robot.cameras.wrist.view']")
    traveller.picture("teleoperate")
    run = traveller.start()
    page.wait_for_selector("canvas[data-camera=front]")
    # An empty canvas of this size is a few hundred characters.
    traveller.wait(lambda: len(page.evaluate(ENCODED)) > 3000, "a picture of the camera")
    before = page.evaluate(ENCODED)
    button = page.locator(".jog-rows button").nth(1)
    button.hover()
    page.mouse.down()
    traveller.wait(lambda: page.evaluate(ENCODED) != before, "another picture after the jog")
    page.wait_for_timeout(1500)
    page.mouse.up()
    traveller.picture("run-teleoperate")
    page.click("form[action$=interrupt] button")
    traveller.wait(lambda: _ended(traveller.studio, run), "the end")
    page.wait_for_selector("text=Run again")
    assert "ended" in traveller.studio.said(run)


def test_record_three_episodes(traveller: Traveller) -> None:
    page = traveller.page
    page.goto(f"{traveller.studio.origin}/")
    page.click("text=Record three episodes")
    page.wait_for_url("**/record?**")
    assert page.input_value("[name='--dataset.num_episodes']") == "3"
    traveller.go("/record", *RECORD)
    traveller.picture("record")
    run = traveller.start()
    traveller.wait(lambda: "Recording episode 1" in traveller.studio.said(run), "the second episode")
    traveller.picture("run-record")
    traveller.end(run)
    assert len(list(traveller.root.glob("videos/**/*.mp4"))) > 0


RECORD = (
    "--robot.type=sim_so101",
    CAMERA,
    "--teleop.type=scripted",
    "--dataset.repo_id=me/virtual",
    "--dataset.no_stamp=true",
    "--dataset.num_episodes=3",
    "--dataset.reset_time_s=1",
    "--dataset.single_task=Lift the cube",
    "--dataset.fps=15",
    "--dataset.push_to_hub=false",
    "--play_sounds=false",
)
ENCODED = "() => document.querySelector('canvas[data-camera=front]').toDataURL()"


def episodes(traveller: Traveller) -> int:
    return traveller.page.locator("#edit .episodes li").count()


def test_delete_an_episode_and_take_it_back(traveller: Traveller) -> None:
    page = traveller.page
    page.goto(f"{traveller.studio.origin}/datasets")
    page.click("text=virtual")
    page.wait_for_selector("#films video")
    traveller.wait(lambda: page.evaluate("document.querySelector('#films video').readyState") >= 2, "a film")
    assert episodes(traveller) == 3
    page.click("#play")
    page.wait_for_timeout(1500)
    traveller.picture("dataset")
    page.check("[name=episode][value='1']")
    page.click("[name=do][value=delete]")
    page.click("#ask button")
    traveller.wait(lambda: episodes(traveller) == 2, "two episodes")
    # Before its scripts run, a form is an ordinary one.
    page.wait_for_load_state("load")
    page.click("[name=do][value=undo]")
    page.click("#ask button")
    traveller.wait(lambda: episodes(traveller) == 3, "three episodes")
    page.goto(f"{traveller.studio.origin}/datasets")
    page.wait_for_timeout(1500)
    traveller.picture("datasets")


TRAIN = (
    "--dataset.repo_id=me/virtual",
    "--policy.type=act",
    "--policy.device=cpu",
    "--policy.pretrained_backbone_weights=null",
    "--policy.dim_model=64",
    "--policy.n_heads=2",
    "--policy.chunk_size=10",
    "--policy.n_action_steps=10",
    "--policy.push_to_hub=false",
    "--steps=20",
    "--batch_size=2",
    "--log_freq=2",
    "--save_freq=20",
    "--num_workers=0",
    "--output_dir=outputs/train/cubes",
)


def test_train(traveller: Traveller) -> None:
    traveller.go("/train", *TRAIN)
    traveller.picture("train")
    run = traveller.start()
    traveller.end(run)
    page = traveller.page
    page.goto(f"{traveller.studio.origin}/train")
    page.click("main table a")
    page.wait_for_timeout(1000)
    traveller.picture("training")
    assert (traveller.studio.work / "outputs/train/cubes/checkpoints/last").exists()


def test_evaluate(traveller: Traveller) -> None:
    page = traveller.page
    page.goto(f"{traveller.studio.origin}/evaluate")
    page.check("[name=policy]")
    page.click("text=Evaluate the ticked ones")
    policy = page.input_value("[name='--policy.path']")
    assert "outputs/train/cubes" in policy
    size = ("--env.width=160", "--env.height=120", "--env.cameras=[front]", "--env.episode_length=30")
    traveller.go("/evaluate", f"--policy.path={policy}", "--env.type=sim", *size, "--eval.n_episodes=2", "--env.fps=15")
    traveller.picture("evaluate")
    traveller.end(traveller.start())
    page.goto(f"{traveller.studio.origin}/evaluate")
    page.click("main table a")
    page.wait_for_timeout(1000)
    traveller.picture("evaluation")


def test_roll_out(traveller: Traveller) -> None:
    page = traveller.page
    policy = traveller.studio.work / "outputs/train/cubes/checkpoints/last/pretrained_model"
    robot = ("--robot.type=sim_so101", CAMERA, "--fps=15", "--duration=8", "--task=Lift the cube")
    traveller.go("/rollout", f"--policy.path={policy}", *robot)
    page.click("button[name=wish][value=start]")
    page.wait_for_selector("#checked")
    assert not [run for run in traveller.studio.runs().values() if run["command"] == "rollout"]
    traveller.picture("rollout")
    run = traveller.start()
    traveller.wait(lambda: page.locator("canvas[data-camera=front]").count(), "the camera")
    traveller.picture("run-rollout")
    traveller.end(run)
    page.goto(f"{traveller.studio.origin}/runs")
    traveller.picture("runs")

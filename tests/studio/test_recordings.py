"""A recording in the browser: every film shows the picture of the row that is named, however it is stored."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np
import pytest
from studio_process import Studio, wait_for

from lerobot.datasets.video.encoder_config import RGBEncoderConfig
from lerobot.datasets.writer.options import WritingOptions
from lerobot.datasets.writer.recorder import DatasetRecorder

if TYPE_CHECKING:
    from watched_page import WatchedPage

pytestmark = pytest.mark.browser
BITS, BLOCK = 8, 24
LENGTHS = [12, 20, 10]
FRONT, STILL = (f"observation.images.{name}" for name in ("front", "still"))


def picture(number: int) -> np.ndarray:
    """A white or black block per bit, lowest first."""
    row = np.repeat(((number >> np.arange(BITS)) & 1) * 255, BLOCK).astype(np.uint8)
    return np.broadcast_to(row[None, :, None], (32, BITS * BLOCK, 3)).copy()


def record(root: Path, codec: str, cameras: dict[str, str]) -> Path:
    """Episodes of LENGTHS whose pictures show the number of the frame in the recording; one jumps at its frame 7."""
    names = ["height", "width", "channels"]
    features: dict[str, Any] = {
        key: {"dtype": dtype, "shape": (32, BITS * BLOCK, 3), "names": names} for key, dtype in cameras.items()
    }
    features["observation.state"] = {"dtype": "float32", "shape": (2,), "names": ["joint.pos", "gripper.pos"]}
    options = WritingOptions(rgb_encoder=RGBEncoderConfig(vcodec=codec, crf=10))
    number = 0
    with DatasetRecorder.create(root, 10, features, options=options) as recorder:
        for episode, length in enumerate(LENGTHS):
            for frame in range(length):
                far = 5 if episode == 1 and frame >= 7 else 0
                state = np.array([0.1 * frame + far, frame], np.float32)
                recorder.add_frame({"observation.state": state, **dict.fromkeys(cameras, picture(number))}, "count")
                number += 1
            recorder.save_episode()
        recorder.finalize()
    return root


@pytest.fixture(scope="module")
def recording(studio: Studio) -> Path:
    return record(studio.home / "me/counted", "h264", {FRONT: "video", STILL: "image"})


def show(watched: "WatchedPage", studio: Studio, root: Path, episode: int) -> None:
    watched.page.goto(f"{studio.origin}/datasets/view?{urlencode({'root': root})}#{episode}")


def until_shown(watched: "WatchedPage", number: int, films: int = 2) -> None:
    wait_for(lambda: watched.run("numbers") == [number] * films, f"picture {number}")


def test_every_film_shows_the_picture_of_its_row(
    studio: Studio, recording: Path, open_page: "Callable[..., WatchedPage]"
) -> None:
    watched = open_page()
    page = watched.page
    page.goto(f"{studio.origin}/datasets")
    page.get_by_role("link", name="me/counted").click()
    until_shown(watched, 0)
    page.keyboard.press("ArrowDown")
    until_shown(watched, 12)
    for row in (1, 2, 3):
        page.keyboard.press("ArrowRight")
        until_shown(watched, 12 + row)
    page.keyboard.press("ArrowLeft")
    until_shown(watched, 14)
    page.locator("#time").fill("13")
    until_shown(watched, 25)
    # Played on, it stops at the last picture, though the file goes on.
    page.locator("h1").click()
    page.keyboard.press("Space")
    assert page.get_by_role("button", name="Pause").is_visible()
    page.get_by_role("button", name="Play").wait_for()
    until_shown(watched, 31)
    assert "frame 19 of 20" in page.locator("#clock").inner_text()
    chart = page.locator(".u-over").first
    box = chart.bounding_box()
    assert box is not None
    chart.click(position={"x": box["width"] * 10 / 19, "y": 20})
    until_shown(watched, 22)


def test_a_finding_leads_to_its_picture(
    studio: Studio, recording: Path, open_page: "Callable[..., WatchedPage]"
) -> None:
    watched = open_page()
    show(watched, studio, recording, 0)
    until_shown(watched, 0)
    watched.page.get_by_role("button", name="Check the numbers").click()
    watched.page.get_by_role("button", name="joint.pos jumps by 5").click()
    until_shown(watched, 12 + 7)
    marks = watched.page.locator("#marks button")
    assert marks.count() == 1
    watched.page.keyboard.press("ArrowLeft")
    until_shown(watched, 12 + 6)
    marks.first.click()
    until_shown(watched, 12 + 7)


def test_a_codec_that_the_browser_does_not_know_is_said_and_a_copy_plays(
    studio: Studio, open_page: "Callable[..., WatchedPage]"
) -> None:
    root = record(studio.home / "me/hevc", "hevc", {FRONT: "video"})
    watched = open_page()
    show(watched, studio, root, 1)
    until_shown(watched, 12, films=1)
    words = watched.page.locator("#films p").inner_text()
    assert "does not play hevc (yuv420p)" in words
    assert "Encode videos anew" in words


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_it_can_be_read_and_used_by_everybody(
    studio: Studio, recording: Path, open_page: "Callable[..., WatchedPage]", size: tuple[int, int]
) -> None:
    watched = open_page(size, dark=size[0] == 390)
    watched.page.goto(f"{studio.origin}/datasets")
    watched.page.get_by_alt_text("The first picture").first.wait_for()
    assert (watched.overflow(), watched.poor_contrast(), watched.keyboard_faults()) == (0, [], [])
    show(watched, studio, recording, 1)
    until_shown(watched, 12)
    watched.page.get_by_role("button", name="Delete").click()
    watched.page.get_by_role("button", name="Do it").wait_for()
    assert (watched.overflow(), watched.poor_contrast(), watched.keyboard_faults()) == (0, [], [])

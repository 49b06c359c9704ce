"""Every page can be read and operated: contrast, by keyboard alone, on a phone, in the dark, nothing from elsewhere."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from studio_process import Studio

if TYPE_CHECKING:
    from watched_page import WatchedPage

pytestmark = pytest.mark.browser

PAGES = (
    "/",
    "/setup",
    "/teleoperate",
    "/record",
    "/datasets",
    "/train",
    "/evaluate",
    "/rollout",
    "/runs",
    "/commands",
    "/command/teleoperate?argument=--robot.type%3Dsim_so101&argument=--teleop.type%3Dscripted",
    "/command/find-port",
)
SIZES = {"wide": (1280, 800), "phone": (390, 844)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", PAGES)
def test_a_page(studio: Studio, open_page: "Callable[..., WatchedPage]", path: str, size: str) -> None:
    watched = open_page(SIZES[size])
    for dark in (False, True):
        watched.page.emulate_media(color_scheme="dark" if dark else "light")
        answer = watched.page.goto(f"{studio.origin}{path}")
        assert answer is not None
        assert answer.status == 200
        assert watched.poor_contrast() == []
    assert watched.overflow() <= 0
    assert watched.keyboard_faults() == []
    watched.require_clean()

"""A studio in a process, and Chromium to look at it. Test folders are no packages: what tests share is found here."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from studio_process import Studio

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from watched_page import WatchedPage


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio that runs, with nothing in its home; shared by the tests of a module."""
    studio = Studio(tmp_path_factory.mktemp("studio"))
    try:
        yield studio.start()
    finally:
        studio.close()


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: "Browser", studio: Studio) -> "Iterator[Callable[..., WatchedPage]]":
    """Open the studio with its token in a new browser context; what went wrong in it fails the test at its end."""
    from watched_page import WIDE, WatchedPage

    opened: list[WatchedPage] = []

    def opening(size: tuple[int, int] = WIDE, *, dark: bool = False, allowed: tuple[str, ...] = ()) -> WatchedPage:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
        )
        watched = WatchedPage(context, allowed)
        opened.append(watched)
        watched.page.goto(studio.address)
        return watched

    yield opening
    for watched in opened:
        watched.page.context.close()
    for watched in opened:
        watched.require_clean()

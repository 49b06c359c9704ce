"""A small studio with only the rooms `inside` and `live`, and a page that a test speaks for."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from scripted_page import ScriptedPage
from small_studio import ThreadStudio


@pytest.fixture
def studio(lerobot_home: Path) -> Iterator[ThreadStudio]:
    """A studio in a thread of this process."""
    with ThreadStudio() as studio:
        yield studio


@pytest.fixture
def open_page() -> Iterator[Callable[..., ScriptedPage]]:
    """Open pages at a port; they are closed after the test."""
    pages: list[ScriptedPage] = []

    def opening(port: int, name: str) -> ScriptedPage:
        pages.append(ScriptedPage(port, name))
        return pages[-1]

    yield opening
    for page in pages:
        page.close()

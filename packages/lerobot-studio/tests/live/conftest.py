"""Pages that a test speaks for."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from studio_client import Studio

sys.path.insert(0, str(Path(__file__).parent))

from scripted_page import ScriptedPage


@pytest.fixture
def open_page(studio: Studio) -> Iterator[Callable[..., ScriptedPage]]:
    """Open pages, of the studio of the test if no other is given; they are closed after the test."""
    pages: list[ScriptedPage] = []

    def opening(name: str, of: Studio = studio) -> ScriptedPage:
        pages.append(ScriptedPage(of, name))
        return pages[-1]

    yield opening
    for page in pages:
        page.close()

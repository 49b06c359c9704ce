"""The checks of the studio's pages find what they are there for."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from watched_page import WatchedPage

pytestmark = pytest.mark.browser

GOOD = """<body style="background:#fff;color:#222"><p>words</p><input aria-label="speed"><button>Go</button>
<a href="#x">on</a></body>"""


@pytest.fixture
def show(browser: "Browser") -> "Iterator[WatchedPage]":
    """A page that shows the text of a test."""
    from watched_page import WatchedPage

    watched = WatchedPage(browser.new_context())
    yield watched
    watched.page.context.close()


def test_a_good_page_has_no_faults(show: "WatchedPage") -> None:
    show.page.set_content(GOOD)
    assert show.poor_contrast() == show.keyboard_faults() == show.faults == []
    assert show.overflow() == 0


@pytest.mark.parametrize(
    ("content", "poor"),
    [
        ("<p style='color:#888'>grey</p>", ["3.54 (needs 4.5)"]),
        ("<p style='color:#767676'>grey</p>", []),
        ("<p style='color:#888;font-size:24px'>large</p>", []),
        ("<p style='opacity:.5'>half there</p>", ["3.98 (needs 4.5)"]),
        ("<div style='background:#000'><p>black</p></div>", ["1.00 (needs 4.5)"]),
        ("<input placeholder='here' style='color:#000'><style>::placeholder{color:#aaa}</style>", ["2.32 (needs 4.5)"]),
        ("<button disabled style='color:#aaa'>off</button>", []),
    ],
)
def test_contrast(show: "WatchedPage", content: str, poor: list[str]) -> None:
    show.page.set_content(f"<body style='background:#fff;color:#000'>{content}</body>")
    assert [line.split(")")[0] + ")" for line in show.poor_contrast()] == poor


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("<style>button:focus{outline:none}</style><button>Go</button>", "focus not visible: button 'Go'"),
        (
            "<button>Go</button><div style='position:fixed;inset:0;background:#fff'></div>",
            "covered while it has the focus: button 'Go'",
        ),
        (
            "<input name=a onkeydown='event.preventDefault()'><button>Go</button>",
            "not reached by Tab: button 'Go'",
        ),
    ],
)
def test_keyboard(show: "WatchedPage", content: str, fault: str) -> None:
    show.page.set_content(f"<body>{content}</body>")
    assert fault in show.keyboard_faults()


def test_errors_and_requests_to_elsewhere_are_faults(show: "WatchedPage") -> None:
    show.page.set_content("<body><img src='http://example.com/x.png'><script>nothing()</script></body>")
    faults = " ".join(show.faults)
    assert "request to elsewhere: http://example.com/x.png" in faults
    assert "script: nothing is not defined" in faults


def test_a_page_that_is_too_wide(show: "WatchedPage") -> None:
    show.page.set_viewport_size({"width": 390, "height": 844})
    show.page.set_content("<body style='margin:0'><div style='width:500px;height:1px'></div></body>")
    assert show.overflow() == 110

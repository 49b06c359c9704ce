"""A page of the studio in Chromium, and everything that goes wrong in it."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Route, WebSocket

WIDE, NARROW = (1280, 800), (390, 844)
SCRIPTS = Path(__file__).parent / "scripts"


class WatchedPage:
    """Opens a tab that may speak to this computer only.

    Args:
        context: where the tab is opened: one context has one set of cookies.
        allowed: parts of console errors that the test provokes.

    Attributes:
        page: Playwright's.
        faults: what went wrong, in words: errors of scripts and of the console, requests to elsewhere.
    """

    def __init__(self, context: BrowserContext, allowed: tuple[str, ...] = ()) -> None:
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self._allowed = allowed
        self.page.set_default_timeout(20_000)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("websocket", self._websocket)
        self.page.route("**/*", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(part in message.text for part in self._allowed):
            self.faults.append(f"console: {message.text} {message.location.get('url', '')}")

    def _request(self, route: Route, request: Request) -> None:
        if self._is_here(request.url):
            route.fallback()
        else:
            self.faults.append(f"request to elsewhere: {request.url}")
            route.abort()

    def _websocket(self, socket: WebSocket) -> None:
        if not self._is_here(socket.url):
            self.faults.append(f"connection to elsewhere: {socket.url}")

    @staticmethod
    def _is_here(url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in ("data", "blob", "about") or parts.hostname == "127.0.0.1"

    def run(self, script: str, *arguments: Any) -> Any:
        """Run the function in `scripts/<script>.js` in the page and give what it gives."""
        return self.page.evaluate((SCRIPTS / f"{script}.js").read_text("utf-8"), list(arguments))

    def require_clean(self) -> None:
        """Nothing went wrong so far."""
        assert self.faults == [], "\n".join([self.page.url, *self.faults])

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window: somebody with a phone would have to scroll sideways."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def poor_contrast(self) -> list[str]:
        """Texts whose contrast is below WCAG 2 AA, in words."""
        return [
            f"{told['ratio']:.2f} (needs {told['needed']}) {told['colour']} on {told['background']}: {told['where']}"
            for told in self.run("contrast")
        ]

    def keyboard_faults(self) -> list[str]:
        """Controls that Tab does not reach, or that do not show that they have the focus."""
        page = self.page
        expected: list[str] = self.run("focus_list")
        page.evaluate("document.activeElement && document.activeElement.blur()")
        seen: dict[int, dict[str, Any]] = {}
        for _ in range(len(expected) + 5):
            page.keyboard.press("Tab")
            told = self.run("focused")
            if told["index"] in seen:
                break
            if told["index"] >= 0:
                seen[told["index"]] = told
        missing = [f"not reached by Tab: {name}" for index, name in enumerate(expected) if index not in seen]
        unseen = [f"focus not visible: {expected[i]}" for i, told in seen.items() if not told["visible"]]
        hidden = [f"covered while it has the focus: {expected[i]}" for i, told in seen.items() if told["covered"]]
        return missing + unseen + hidden

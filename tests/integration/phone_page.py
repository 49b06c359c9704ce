"""Chromium without a window, in which the phone's page is opened; its poses are drawn by a stand-in for `navigator.xr`.

The stand-in is injected before the page's own script, over the browser's debugging protocol; the page is ours.
"""

import contextlib
import itertools
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

XR = """
window.simulated = { position: { x: 0, y: 0, z: 0 }, lost: false };
const drawn = new EventTarget();
drawn.requestReferenceSpace = async () => ({});
drawn.requestAnimationFrame = (next) => setTimeout(() => next(performance.now(), {
  getViewerPose: () => ({
    emulatedPosition: window.simulated.lost,
    transform: { position: window.simulated.position, orientation: { x: 0, y: 0, z: 0, w: 1 } },
  }),
}), 16);
Object.defineProperty(navigator, "xr", { value: {
  isSessionSupported: async (mode) => mode === "immersive-ar",
  requestSession: async () => drawn,
} });
"""


class Page:
    """A tab with the phone's page.

    Args:
        command: sends a command of the debugging protocol and gives its result.
    """

    def __init__(self, command: Any) -> None:
        self._command = command

    def run(self, script: str) -> Any:
        """Run a script in the page; give its value."""
        result = self._command("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def until(self, script: str, within_s: float = 60.0) -> None:
        """Wait until a script's value is true."""
        end = time.monotonic() + within_s
        while not self.run(script):
            assert time.monotonic() < end, f"never: {script}; page: {self.run('document.body.innerText')}"
            time.sleep(0.05)

    def press(self, element: str, *, down: bool) -> None:
        """Touch an element, or let it go."""
        kind = "pointerdown" if down else "pointerup"
        event = f"new PointerEvent('{kind}', {{pointerId: 1, bubbles: true}})"
        self.run(f"document.getElementById('{element}').setPointerCapture = () => {{}}; "
                 f"document.getElementById('{element}').dispatchEvent({event})")  # fmt: skip

    def close(self) -> None:
        """Close the tab."""
        self._command("Page.close")


@contextlib.contextmanager
def opened(url: str) -> Iterator[Page]:
    """Open a page in a browser of its own."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--ignore-certificate-errors"]
        arguments += ["--remote-debugging-port=0", f"--user-data-dir={profile}", "--no-first-run", "about:blank"]
        browser = subprocess.Popen([CHROMIUM, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port = _port(Path(profile) / "DevToolsActivePort")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=30) as answer:
                tab = next(each for each in json.load(answer) if each["type"] == "page")
            with connect(tab["webSocketDebuggerUrl"], max_size=None) as socket:
                numbers = itertools.count(1)

                def command(method: str, **parameters: Any) -> Any:
                    number = next(numbers)
                    socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
                    while (message := json.loads(socket.recv(timeout=60))).get("id") != number:
                        pass
                    assert "error" not in message, message
                    return message["result"]

                command("Page.enable")
                command("Page.addScriptToEvaluateOnNewDocument", source=XR)
                command("Page.navigate", url=url)
                yield Page(command)
        finally:
            browser.terminate()
            browser.wait(timeout=30)


def _port(file: Path) -> int:
    end = time.monotonic() + 60
    while not (file.is_file() and file.read_text().strip()):
        assert time.monotonic() < end, "the browser does not start"
        time.sleep(0.05)
    return int(file.read_text().splitlines()[0])

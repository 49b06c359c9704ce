"""Who is there: pages and commands, which page controls, and whether everything is stopped."""

import asyncio
import contextlib
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable

from lerobot.core.capture_clock import CaptureClock
from lerobot.core.errors import LeRobotError
from lerobot.core.paths import lerobot_home
from lerobot.core.safety.latch import Stop, stop_latch
from lerobot.studio.inside.wire import FILE, RUN, Message, json_frame
from lerobot.studio.live.messages import Facts, Watch
from lerobot.studio.live.outbox import Outbox
from lerobot.studio.private_file import write_private

PING_S = 0.25
LOOK_S = 0.05
"""How often the latch is looked at, which others set too."""
PINGS = 8
"""Answers to older pings than the last so many, two seconds of them, say nothing about now."""


class RefusedError(LeRobotError):
    """A page asked for what only the page that controls may do."""


class Page:
    """An open page.

    Attributes:
        id: the tab's own.
        outbox: what it is to be told.
        watch: what it shows; None while it shows no run.
        clock: turns its times into this computer's.
    """

    def __init__(self, page_id: str) -> None:
        self.id = page_id
        self.outbox = Outbox()
        self.watch: Watch | None = None
        self.clock = CaptureClock()

    def tell(self, message: Message, key: str = "") -> None:
        """Tell it something; see `Outbox.put` for keys."""
        self.outbox.put(json.dumps(message, separators=(",", ":")), key)


class Command:
    """A connected command.

    Attributes:
        run: id of its run.
        facts: what it is.
        outbox: frames for it.
    """

    def __init__(self, run: str) -> None:
        self.run = run
        self.facts: Facts | None = None
        self.outbox = Outbox()

    @property
    def drives(self) -> bool:
        """Whether it drives a robot."""
        return self.facts is not None and self.facts.robot is not None

    def tell(self, message: Message, key: str) -> None:
        """Tell it something of which only the newest counts."""
        self.outbox.put(json_frame(message), key)


class Live:
    """Pages, commands, and what passes between them; everything here happens in one thread, that of the event loop.

    Args:
        write_word: takes the id of a run and a word for its control file; raises LeRobotError for a run it cannot be
            given to.

    Attributes:
        pages: by id.
        commands: connected ones.
        controller: id of the page that controls; None if none does.
        token: what commands prove to know.
        port: where commands connect.
    """

    def __init__(self, write_word: Callable[[str, str], None]) -> None:
        self.pages: dict[str, Page] = {}
        self.commands: list[Command] = []
        self.controller: str | None = None
        self.token = secrets.token_hex(32)
        self.file = lerobot_home() / "run" / "studio.json"
        self.port = 0
        self._write_word = write_word
        self._pings: OrderedDict[int, float] = OrderedDict()
        self._stop: Stop | None = None
        self._heard: Message = {"type": "beat", "time_s": 0.0}

    def environment(self, run: str) -> dict[str, str]:
        """Variables by which a command that is started finds the studio."""
        return {FILE: str(self.file), RUN: run}

    @contextlib.asynccontextmanager
    async def announced(self, port: int) -> AsyncIterator[None]:
        """Say where commands reach this studio, and look after pages, within the block."""
        self.port = port
        write_private(self.file, json.dumps({"port": port, "token": self.token}))
        work = asyncio.create_task(self._look_after())
        try:
            yield
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work

    async def _look_after(self) -> None:
        next_ping_s, number = time.monotonic(), 0
        while True:
            now = time.monotonic()
            if now >= next_ping_s:
                next_ping_s, number = now + PING_S, number + 1
                self._pings[number] = now
                if len(self._pings) > PINGS:
                    self._pings.popitem(last=False)
                for page in self.pages.values():
                    page.tell({"type": "ping", "n": number}, "ping")
            if stop_latch().present != self._stop:
                self.tell_state()
            await asyncio.sleep(LOOK_S)

    # --- pages -------------------------------------------------------------------------------------------------------

    def enter(self, page: Page) -> Page | None:
        """Let a page in; one of the same id, which it replaces, is returned.

        Where nothing moves, the first page that comes controls when the one that did has gone.
        """
        before = self.pages.get(page.id)
        self.pages[page.id] = page
        if self.controller not in self.pages and not any(command.drives for command in self.commands):
            self.controller = page.id
        self._beat(page, time.monotonic())
        self.tell_state()
        return before

    def leave(self, page: Page) -> None:
        """Forget a page; it still controls if it comes back, as it does after a reload."""
        if self.pages.get(page.id) is page:
            del self.pages[page.id]
            self._tell_watched(page.watch)
            self.tell_state()

    def alive(self, page: Page, number: int) -> None:
        """A page answered a ping: let the robots go on if it is the one that controls."""
        if number in self._pings:
            self._beat(page, self._pings[number])

    def _beat(self, page: Page, time_s: float) -> None:
        if page.id == self.controller:
            self._heard = {"type": "beat", "time_s": time_s}
            for command in self.commands:
                command.tell(self._heard, "beat")

    def take_control(self, page: Page) -> None:
        """A person decided to control from this page."""
        self.controller = page.id
        self._beat(page, time.monotonic())
        for command in self.commands:
            command.tell({"type": "jog", "time_s": 0.0, "keys": {}}, "jog")
        self.tell_state()

    def require_control(self, page_id: str) -> None:
        """Check that a page is the one that controls.

        Raises:
            RefusedError: it only watches.
        """
        if page_id != self.controller:
            raise RefusedError("another page controls; this one watches.", hint="Take control first.")

    def require_start(self, page_id: str) -> None:
        """Check that no other page controls, before a robot is started from a page; may be called from any thread.

        Raises:
            RefusedError: one does.
        """
        if self.controller in self.pages:
            self.require_control(page_id)

    def jog(self, page: Page, run: str, keys: dict[str, float], there_s: float) -> None:
        """Move joints of a run.

        Raises:
            RefusedError: see `require_control`.
        """
        self.require_control(page.id)
        time_s = page.clock.here(there_s, time.monotonic())
        for command in self.commands:
            if command.run == run:
                command.tell({"type": "jog", "time_s": time_s, "keys": keys}, "jog")

    def word(self, page: Page, run: str, word: str) -> None:
        """Write a word into the control file of a run.

        Raises:
            RefusedError: see `require_control`.
            LeRobotError: the run takes no words.
        """
        self.require_control(page.id)
        self._write_word(run, word)

    def watch(self, page: Page, watch: Watch) -> None:
        """A page shows a run, or another part of it."""
        before, page.watch = page.watch, None if watch.run is None else watch
        self._tell_watched(before)
        self._tell_watched(page.watch)

    def _tell_watched(self, watch: Watch | None) -> None:
        for command in self.commands:
            if watch is not None and command.run == watch.run:
                self._tell_watch(command)

    def _tell_watch(self, command: Command) -> None:
        """Tell a command what all pages together show of it."""
        shown = [page.watch for page in self.pages.values() if page.watch and page.watch.run == command.run]
        every = any(watch.cameras is None for watch in shown)
        cameras = None if every else sorted({name for watch in shown for name in watch.cameras or ()})
        width = max((watch.width for watch in shown), default=0)
        command.tell({"type": "watch", "active": bool(shown), "cameras": cameras, "width": width}, "watch")

    def introduce(self, command: Command, facts: Facts) -> None:
        """A command said what it is; it is told what it missed, so that a release moves it at once."""
        command.facts = facts
        command.tell(self._heard, "beat")
        self._tell_watch(command)
        self.tell_state()

    # --- the stop ----------------------------------------------------------------------------------------------------

    def stop(self, reason: str, source: str) -> None:
        """Stop everything that moves, before anything else is done."""
        latch = stop_latch()
        stop = latch.set(reason or "no reason given", source)
        if not latch.path.exists():  # the disk is full: then at least what the studio started is told
            for command in self.commands:
                command.tell({"type": "stop", "reason": stop.reason, "source": stop.source}, "stop")
        self.tell_state()

    def release(self, page_id: str) -> None:
        """Let robots move again.

        Raises:
            RefusedError: see `require_control`.
            LeRobotError: the stop cannot be removed, so it stays.
        """
        self.require_control(page_id)
        if page := self.pages.get(page_id):
            self._beat(page, time.monotonic())  # or a command that heard nothing lately would stop again
        try:
            stop_latch().release("a page of the studio")
        except OSError as error:
            raise LeRobotError(f"the stop stays, because it cannot be removed: {error}") from error
        self.tell_state()

    # --- what everybody sees -----------------------------------------------------------------------------------------

    def tell_state(self) -> None:
        """Tell every page who controls, what is stopped and what runs."""
        self._stop = stop = stop_latch().present
        told = None if stop is None else {"reason": stop.reason, "source": stop.source, "time_s": stop.time_s}
        runs = [{"run": each.run, **each.facts.model_dump()} for each in self.commands if each.facts is not None]
        for page in self.pages.values():
            others = "other" if self.controller in self.pages else "nobody"
            control = "you" if page.id == self.controller else others
            page.tell({"type": "state", "control": control, "stop": told, "runs": runs}, "state")

    def hand_on(self, command: Command, message: Message) -> None:
        """Tell pages what a command told: where it is now those that show it, its events all."""
        kind, message = message["type"], {**message, "run": command.run}
        is_now = kind in {"tick", "calibration"}
        for page in self.pages.values():
            if not is_now or (page.watch is not None and page.watch.run == command.run):
                page.tell(message, f"{kind} {command.run}" if is_now else "")

    def show(self, run: str, camera: str, picture: bytes) -> None:
        """Give a picture to the pages that show it."""
        for page in self.pages.values():
            watch = page.watch
            if watch is not None and watch.run == run and (watch.cameras is None or camera in watch.cameras):
                page.outbox.put(picture, f"picture {camera}")

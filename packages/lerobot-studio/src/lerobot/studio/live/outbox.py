"""What waits to be sent to somebody who may be slow."""

import asyncio
from collections.abc import AsyncIterator

MOST = 500
"""So much waits for a page or a command; one that is so far behind has to connect again."""


class Outbox:
    """Messages by key, oldest first: a newer one takes the place of the one that waits under its key.

    Attributes:
        full: whether more waits than anybody will read.
    """

    def __init__(self) -> None:
        self.full = False
        self._waiting: dict[str, bytes | str] = {}
        self._events = 0
        self._more = asyncio.Event()

    def put(self, content: bytes | str, key: str = "") -> None:
        """Let a message wait; without a key it is an event, which none replaces."""
        if not key:
            self._events += 1
            key = f"event {self._events}"
        self._waiting[key] = content
        self.full |= len(self._waiting) > MOST
        self._more.set()

    async def take(self) -> AsyncIterator[bytes | str]:
        """Give messages as they come, until there are too many."""
        while not self.full:
            await self._more.wait()
            self._more.clear()
            while self._waiting and not self.full:
                yield self._waiting.pop(next(iter(self._waiting)))

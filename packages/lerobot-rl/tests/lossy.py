"""A wire that loses messages."""

import random
from typing import Any


class Lossy:
    """A link of which messages are lost, in both directions."""

    def __init__(self, link: Any, share: float, draw: random.Random) -> None:
        self.name = link.name
        self.lost = 0
        self._link, self._share, self._draw = link, share, draw
        self._begun = 0

    def send(self, message: Any) -> None:
        if self._kept():
            self._link.send(message)

    def receive(self, timeout_s: float | None = None) -> Any:
        found = self._link.receive(timeout_s)
        return found if found is None or self._kept() else None

    def _kept(self) -> bool:
        self._begun += 1
        # The beginning is no question that is asked again: it fails with its connection.
        kept = self._begun <= 3 or self._draw.random() >= self._share
        self.lost += not kept
        return kept

"""Asking a policy of another computer: one of ours, or of openpi and what speaks like it."""

import logging
import time
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DeviceConnectionError, DeviceTimeoutError, LeRobotError
from lerobot.remote.device.session import first_message
from lerobot.remote.wire.client import open_link
from lerobot.remote.wire.config import ConnectOptions
from lerobot.remote.wire.errors import RefusedError, WireError
from lerobot.remote.wire.handshake import OURS, Description, begin
from lerobot.remote.wire.link import Link

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 1.0
RESET_DONE = "reset successful"
"""What a RoboArena server says, as text, when it was asked to reset."""


class PolicyClient:
    """Asks one question at a time, and connects again when the connection was lost.

    An answer that comes too late is never given out: its connection is given up, so that it cannot be taken for the
    next one.

    Args:
        options: where the server is.

    Attributes:
        metadata: what the server said first.
        description: what it says of itself, if it is one of ours.
        reconnections: how often the connection was made anew.

    Raises:
        LeRobotError: it cannot be reached, or serves something else.
    """

    def __init__(self, options: ConnectOptions) -> None:
        self._options = options
        self._name = f"policy at {options.address}"
        self._session_id = uuid.uuid4().hex
        self._stack = ExitStack()
        self._link: Link | None = None
        self.description: Description | None = None
        self.metadata: dict[str, Any] = {}
        self.reconnections = 0
        self._connect()

    def infer(self, observation: Mapping[str, Any], *, within_s: float) -> NDArray[np.floating[Any]]:
        """Ask for the coming actions.

        Args:
            observation: inputs by the server's keys, and `prompt`.
            within_s: longest time from now to the answer, with everything that goes wrong in between.

        Returns:
            `(T, Da)`, finite.

        Raises:
            DeviceTimeoutError: no answer came in time.
            DeviceConnectionError: the server cannot be reached.
            RefusedError: it says what is wrong with the question.
            WireError: it answered something else.
        """
        asked = {**observation, **self._extras("infer")}
        return actions_of(self._ask(asked, within_s), self._name)

    def reset(self, *, within_s: float) -> None:
        """Tell the server that an episode begins, if it listens to that."""
        if self.description is None and not self.metadata.get("needs_session_id"):
            return
        try:
            self._ask({"endpoint": "reset", **self._extras("reset")}, within_s)
        except RefusedError as error:
            if RESET_DONE not in error.what:
                raise

    def close(self) -> None:
        """End the connection; may be called repeatedly."""
        self._link = None
        self._stack.close()

    def _extras(self, endpoint: str) -> dict[str, Any]:
        """What RoboArena servers want beside the observation."""
        if not self.metadata.get("needs_session_id"):
            return {}
        return {"session_id": self._session_id, "endpoint": endpoint}

    def _connect(self) -> None:
        """Connect, and check that the policy is the one it was."""
        try:
            link = self._stack.enter_context(open_link(self._options, self._name))
            metadata = first_message(link, self._options.connect_timeout_s)
            if OURS in metadata:
                description = Description.read(metadata, "policy", self._name)
                if self.description is not None and description.digest != self.description.digest:
                    raise RefusedError(f"{self._name} is another policy than before")
                begin(link, description, within_s=self._options.connect_timeout_s)
                self.description = description
        except BaseException:
            self.close()
            raise
        self.metadata, self._link = metadata, link

    def _ask(self, message: Mapping[str, Any], within_s: float) -> Any:
        until_s, pause_s = time.monotonic() + within_s, FIRST_PAUSE_S
        while True:
            try:
                link = self._connected()
                link.send(message)
                answer = link.receive_any(max(0.0, until_s - time.monotonic()))
            except DeviceConnectionError as error:
                self.close()
                if time.monotonic() + pause_s > until_s:
                    raise
                log.warning("%s; asking again", error.what)
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                continue
            except LeRobotError:
                self.close()
                raise
            if answer is None:
                self.close()
                raise DeviceTimeoutError(
                    f"{self._name} did not answer within {within_s:g} s.",
                    device=self._name,
                    hint="Raise --policy.reply_timeout_s if it takes that long.",
                )
            return answer

    def _connected(self) -> Link:
        if self._link is None:
            self._connect()
            self.reconnections += 1
        if self._link is None:
            raise DeviceConnectionError(f"{self._name} is not connected.", device=self._name)
        return self._link


def actions_of(answer: Any, server: str) -> NDArray[np.floating[Any]]:
    """Find the actions in an answer: openpi's map, cosmos' `action`, or an array alone.

    Raises:
        WireError: there are none, or some are no numbers.
    """
    found = answer
    if isinstance(answer, dict):
        found = answer.get("actions", answer.get("action"))
    if isinstance(found, list):
        found = np.asarray(found)
    if not isinstance(found, np.ndarray) or found.ndim != 2 or not found.size or found.dtype.kind not in "fiu":
        what = sorted(map(str, answer)) if isinstance(answer, dict) else type(answer).__name__
        raise WireError(f"{server} answered {str(what)[:100]}", expected="actions (T, Da)")
    if not np.isfinite(found).all():
        raise WireError(f"{server} answered actions that are no numbers")
    return found

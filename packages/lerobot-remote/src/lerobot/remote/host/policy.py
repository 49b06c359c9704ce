"""The host of a policy: openpi's clients and ours ask it, and one thread answers all of them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lerobot.core.errors import DeviceConnectionError
from lerobot.core.protocols.served import ServedPolicy
from lerobot.remote.wire.handshake import OURS, READY, Description, check_begin
from lerobot.remote.wire.link import Link
from lerobot.remote.wire.topics import TIME, number

POLL_S = 0.2
RESET_DONE = {"status": "reset successful"}
"""As vLLM-Omni's endpoint answers."""


class PolicyHost:
    """Serves a policy; see `RobotHost` for who calls what.

    An openpi client sends an observation and gets the coming actions, again and again, after the metadata that come
    first. Ours begins before, so that both ends know that they mean the same policy. Whatever is wrong is told as text,
    and ends the connection as openpi's server does.

    Args:
        policy: asked once before anything else.
    """

    def __init__(self, policy: ServedPolicy) -> None:
        self._policy = policy
        # One thread: pings and other clients are answered while the policy thinks, and it is asked one thing at a time.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="policy")
        self._worker.submit(policy.warm_up).result()

    @property
    def metadata(self) -> dict[str, Any]:
        """What every client is told first."""
        description = self._description
        (action,) = description.features["action"].values()
        return {
            "policy_name": description.name,
            "action_horizon": description.facts["horizon"],
            "action_dim": action.shape[0],
            **description.message(),
        }

    @property
    def _description(self) -> Description:
        said = self._policy.description
        return Description("policy", said.name, said.features, said.facts)

    def handle(self, link: Link) -> None:
        """Serve one connection."""
        link.send(self.metadata)
        previous: dict[str, float] = {}
        try:
            while True:
                request = link.receive(POLL_S)
                if request is not None:
                    started_s = time.perf_counter()
                    link.send(self._answer(request, previous))
                    if OURS not in request:
                        previous = {"prev_total_ms": 1000 * (time.perf_counter() - started_s)}
        except DeviceConnectionError:
            return

    def run(self, stop: threading.Event | None = None) -> None:
        """Wait until `stop` is set or a signal comes."""
        stop = stop or threading.Event()
        try:
            while not stop.wait(POLL_S):
                pass
        finally:
            self._worker.shutdown(wait=False, cancel_futures=True)

    def _answer(self, request: dict[str, Any], previous: dict[str, float]) -> dict[str, Any]:
        topic = request.get(OURS)
        if topic == TIME:
            return {OURS: TIME, "asked": number(request, "asked"), "now": time.monotonic()}
        if topic is not None:
            check_begin(request, self._description)
            return {OURS: READY}
        if request.get("endpoint") == "reset":
            self._worker.submit(self._policy.reset).result()
            return RESET_DONE
        started_s = time.perf_counter()
        result = self._worker.submit(self._policy.infer, request).result()
        return {**result, "server_timing": {"infer_ms": 1000 * (time.perf_counter() - started_s), **previous}}

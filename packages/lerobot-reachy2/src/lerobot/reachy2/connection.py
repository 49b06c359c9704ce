"""The connection to one of Reachy 2's servers: questions with a deadline, and one line when there is no answer.

The vendor's servers know neither tokens nor encryption: whoever reaches them commands the robot.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import grpc

from lerobot.core.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError
from lerobot.remote.wire.errors import printable

Reply = TypeVar("Reply")

LARGEST_BYTES = 32 * 2**20
"""A depth picture of 1280x720 takes two MB."""
RECONNECT_MS = 1000
"""Longest pause between two attempts to reach a server that was lost."""


class Connection:
    """A connection to a server; opened by the first question.

    Args:
        device: name of the device, for messages.
        address: `host:port`.
        answer_s: longest time to wait for an answer, seconds.
    """

    def __init__(self, device: str, address: str, *, answer_s: float) -> None:
        self.address = address
        self._answer_s = answer_s
        self._device = device
        self.channel = grpc.insecure_channel(
            address,
            options=[
                ("grpc.max_receive_message_length", LARGEST_BYTES),
                ("grpc.max_reconnect_backoff_ms", RECONNECT_MS),
                # Otherwise two devices share a connection, and one that closes it closes both.
                ("grpc.use_local_subchannel_pool", 1),
            ],
        )

    def ask(
        self, method: Callable[..., Any], request: Any, kind: type[Reply], *, first_within_s: float | None = None
    ) -> Reply:
        """Ask a question.

        Args:
            method: of a stub on `channel`.
            request: the question.
            kind: class of the answer.
            first_within_s: the first question waits so long for the server to be there, seconds.

        Raises:
            DeviceTimeoutError: there was no answer in time.
            DeviceConnectionError: the server is not there.
            DeviceError: it refused, or answered what is no answer.
        """
        is_first = first_within_s is not None
        within_s = self._answer_s if first_within_s is None else first_within_s
        asked = type(request).__name__
        try:
            reply = method(request, timeout=within_s, wait_for_ready=is_first)
        except grpc.RpcError as error:
            raise self._failure(error, asked, within_s, is_first) from error
        if not isinstance(reply, kind):
            raise DeviceError(f"{self._device} answered {asked} with a {type(reply).__name__}.", device=self._device)
        return reply

    def _failure(self, error: grpc.RpcError, asked: str, within_s: float, is_first: bool) -> DeviceError:
        code, details = error.code(), printable(str(error.details()))[:200]
        if code is grpc.StatusCode.UNAVAILABLE or (is_first and code is grpc.StatusCode.DEADLINE_EXCEEDED):
            return DeviceConnectionError(
                f"{self._device} cannot be reached at {self.address}: {details}.",
                device=self._device,
                hint="Check its address, and that its services run (its dashboard shows them).",
            )
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return DeviceTimeoutError(
                f"{self._device} did not answer {asked} within {within_s:g} s.",
                device=self._device,
                hint="Check the network: this wire is for a cable or a good Wi-Fi.",
            )
        return DeviceError(f"{self._device} refused {asked}: {code.name}, {details}.", device=self._device)

    def close(self) -> None:
        """Close it; questions that wait are given up."""
        self.channel.close()

"""The sockets of both ends; a LeKiwi's host binds, its client connects."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Self

import zmq

from lerobot.core.errors import DeviceConnectionError
from lerobot.lekiwi.commands.lekiwi_host import HostOptions
from lerobot.lekiwi.messages import MAX_COMMAND_BYTES, decode_command, encode_observation
from lerobot.remote.wire.errors import WireError

log = logging.getLogger(__name__)

KEPT_OBSERVATIONS = 2
"""Observations that wait for a slow client; the next is dropped."""


class HostSockets:
    """What the host of a LeKiwi talks through; a context manager.

    Args:
        options: where it listens.
        cameras: whose pictures go with an observation, in order.
    """

    def __init__(self, options: HostOptions, cameras: Sequence[str]) -> None:
        self._options = options
        self._cameras = list(cameras)
        self.refused = 0
        """How many messages were no commands."""

    def __enter__(self) -> Self:
        options = self._options
        self._context = zmq.Context()
        self._commands = self._context.socket(zmq.PULL)
        self._commands.setsockopt(zmq.CONFLATE, 1)
        self._commands.setsockopt(zmq.MAXMSGSIZE, MAX_COMMAND_BYTES)
        self._observations = self._context.socket(zmq.PUSH)
        self._observations.setsockopt(zmq.SNDHWM, KEPT_OBSERVATIONS)
        try:
            self._bind(self._commands, options.port_zmq_cmd)
            self._bind(self._observations, options.port_zmq_observations)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _bind(self, socket: "zmq.Socket[bytes]", port: int) -> None:
        try:
            socket.bind(f"tcp://{self._options.bind}:{port}")
        except zmq.ZMQError as error:
            raise DeviceConnectionError(
                f"nothing can listen on {self._options.bind}:{port}: {error}.", hint="Choose another port."
            ) from error

    def newest_command(self) -> dict[str, float] | None:
        """See `Commander.newest_command`; what is no command is counted."""
        try:
            return decode_command(self._commands.recv(zmq.NOBLOCK))
        except zmq.Again:
            return None
        except WireError as error:
            if not self.refused:
                log.warning("%s; further ones are only counted", error.what)
            self.refused += 1
            return None

    def publish(self, observation: Mapping[str, Any]) -> None:
        """See `Commander.publish`; dropped while no client takes it in."""
        try:
            self._observations.send_multipart(encode_observation(observation, self._cameras), zmq.NOBLOCK)
        except zmq.Again:
            log.debug("no client takes the observation in")

    def close(self) -> None:
        """Close the sockets; what was not sent is dropped."""
        self._context.destroy(linger=0)
        if self.refused:
            log.warning("%d messages were no commands", self.refused)
            self.refused = 0

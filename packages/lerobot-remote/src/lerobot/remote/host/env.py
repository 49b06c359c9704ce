"""The host of an environment: each client plays one of its own, in the thread of its connection."""

import threading
from typing import Any

import numpy as np

from lerobot.core.config.base import EnvConfig
from lerobot.core.protocols.env import Env
from lerobot.remote.host.client import Client, Message
from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.handshake import Description
from lerobot.remote.wire.link import Link
from lerobot.remote.wire.spaces import holds, write_space
from lerobot.remote.wire.topics import RENDER, REPLY, RESET, STEP

POLL_S = 0.2


class EnvHost:
    """Serves environments; see `RobotHost` for who calls what.

    Pictures are sent as they are: an evaluation depends on every bit.

    Args:
        config: one environment is built from it now, to know what it is, and one for every client.
    """

    def __init__(self, config: EnvConfig) -> None:
        self._config = config
        env: Env = config.build()
        try:
            self.description = _described(env, config.type)
        finally:
            env.close()

    def handle(self, link: Link) -> None:
        """Serve one connection."""
        client = Client(link)
        if not client.await_begin(self.description):
            return
        # Here, because what draws pictures often works only in the thread that it was made in.
        env: Env = self._config.build()
        try:
            client.ready()
            client.read(_Player(env, client))
        finally:
            env.close()

    def run(self, stop: threading.Event | None = None) -> None:
        """Wait until `stop` is set or a signal comes."""
        stop = stop or threading.Event()
        while not stop.wait(POLL_S):
            pass


def _described(env: Env, name: str) -> Description:
    facts = {
        "observation_space": write_space(env.observation_space),
        "action_space": write_space(env.action_space),
        "render_fps": float(env.metadata.get("render_fps") or 0),
        "task": env.task_description,
    }
    return Description("env", name, {}, facts)


class _Player:
    """Does what one client asks, one thing after the other."""

    def __init__(self, env: Env, client: Client) -> None:
        self._env = env
        self._client = client

    def __call__(self, topic: str, message: Message) -> bool:
        if topic == RESET:
            seed, options = message.get("seed"), message.get("options")
            if not isinstance(seed, int | None) or not isinstance(options, dict | None):
                raise WireError("a reset has a seed or options that are none")
            observation, info = self._env.reset(seed=seed, options=options)
            self._answer(observation=observation, info=sendable(info))
        elif topic == STEP:
            if not holds(self._env.action_space, action := message.get("action")):
                raise WireError(f"an action is {str(action)[:60]!r}", expected=f"{self._env.action_space}")
            observation, reward, terminated, truncated, info = self._env.step(action)
            self._answer(
                observation=observation,
                reward=float(reward),
                ended=[bool(terminated), bool(truncated)],
                info=sendable(info),
            )
        elif topic == RENDER:
            self._answer(picture=self._env.render())
        else:
            return False
        return True

    def _answer(self, **entries: Any) -> None:
        self._client.answer(REPLY, **entries)


def sendable(info: dict[str, Any]) -> dict[str, Any]:
    """What of an info can be sent: numbers, text and arrays of them."""
    kinds = (bool, int, float, str, np.generic)
    return {
        str(key): value
        for key, value in info.items()
        if isinstance(value, kinds) or (isinstance(value, np.ndarray) and value.dtype.kind in "biuf")
    }

"""An environment that is played elsewhere."""

from contextlib import ExitStack
from typing import Any, SupportsFloat

import gymnasium

from lerobot.core.errors import DeviceTimeoutError
from lerobot.remote.config import RemoteEnvConfig
from lerobot.remote.device.session import first_message
from lerobot.remote.wire.client import open_link
from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.handshake import OURS, Description, begin
from lerobot.remote.wire.spaces import holds, read_space
from lerobot.remote.wire.topics import RENDER, REPLY, RESET, STEP, number


class RemoteEnv(gymnasium.Env[Any, Any]):
    """Plays an environment of `lerobot serve --env.type=...`; episodes are those it would play here, bit for bit.

    A lost connection ends the evaluation: an episode cannot be taken up in its middle.

    Args:
        config: where the host is.

    Raises:
        LeRobotError: it cannot be reached, or serves something else.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - as gymnasium has it
    render_mode = "rgb_array"

    def __init__(self, config: RemoteEnvConfig) -> None:
        self._config = config
        self._name = f"environment at {config.address}"
        with ExitStack() as stack:
            # A step may take long and nobody answers pings meanwhile but the library itself.
            self._link = stack.enter_context(open_link(config, self._name, ping_s=None))
            first = first_message(self._link, config.connect_timeout_s)
            description = Description.read(first, "env", self._name)
            facts = description.facts
            self.observation_space = read_space(facts.get("observation_space"))
            self.action_space = read_space(facts.get("action_space"))
            self.metadata = {**type(self).metadata, "render_fps": number(facts, "render_fps")}
            self.task_description = str(facts.get("task", ""))
            """The task in words."""
            begin(self._link, description, within_s=config.reply_timeout_s)
            self._stack = stack.pop_all()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """See `Env.reset`; what is random is drawn at the host."""
        super().reset(seed=seed)
        reply = self._ask(RESET, seed=seed, options=options)
        return self._observation(reply), self._info(reply)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """See `Env.step`."""
        reply = self._ask(STEP, action=action)
        match reply.get("ended"):
            case [bool() as terminated, bool() as truncated]:
                return self._observation(reply), number(reply, "reward"), terminated, truncated, self._info(reply)
        raise WireError(f"{self._name} does not say whether the episode is over")

    def render(self) -> Any:
        """See `Env.render`."""
        return self._ask(RENDER).get("picture")

    def close(self) -> None:
        """See `Env.close`."""
        self._stack.close()

    def _ask(self, what: str, **entries: Any) -> dict[str, Any]:
        self._link.send({OURS: what, **entries})
        reply = self._link.receive(self._config.reply_timeout_s)
        if reply is None:
            # A late answer must not be taken for the next one.
            self._link.cut()
            raise DeviceTimeoutError(
                f"{self._name} did not answer within {self._config.reply_timeout_s:g} s.",
                device=self._name,
                hint="Raise --env.reply_timeout_s if a step takes that long.",
            )
        if reply.get(OURS) != REPLY:
            raise WireError(f"{self._name} answered {str(reply.get(OURS))[:40]!r}", expected=repr(REPLY))
        return reply

    def _observation(self, reply: dict[str, Any]) -> Any:
        observation = reply.get("observation")
        if not holds(self.observation_space, observation):
            raise WireError(f"{self._name} sent an observation that is not in its space")
        return observation

    def _info(self, reply: dict[str, Any]) -> dict[str, Any]:
        info = reply.get("info")
        return dict(info) if isinstance(info, dict) else {}

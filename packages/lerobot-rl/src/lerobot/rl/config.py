"""Which algorithm learns from reward, and how much of what it learns from. Light."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from pydantic import Field

from lerobot.core.config.base import ConfigModel, PluginConfig
from lerobot.remote.wire.config import ConnectOptions, ListenOptions


class AlgorithmConfig(PluginConfig):
    """Choice of an algorithm: `--algorithm.type=sac`.

    `target` is built with the configuration and `trained`, the policy that learns with its processors, and is a
    `lerobot.rl.algorithm.Algorithm`.
    """

    kind: ClassVar[str] = "algorithm"

    @property
    def steps_per_window(self) -> int:
        """Transitions that a window of a batch has: 1, or as many as there are actions in a chunk."""
        return 1


class OnlineConfig(ConfigModel):
    """How much is experienced, kept, and learned from."""

    steps: int = Field(default=100_000, gt=0, description="Actions in all, over all episodes.")
    warmup_steps: int = Field(default=100, ge=0, description="Actions before anything is learned from them.")
    updates_per_step: float = Field(default=1.0, gt=0, description="Times the algorithm learns per action after that.")
    offline_updates: int = Field(
        default=0, ge=0, description="Times it learns from the demonstrations alone before the first action."
    )
    capacity: int = Field(default=100_000, gt=0, description="Actions of its own that are kept in memory.")
    offline_capacity: int = Field(
        default=100_000, gt=0, description="Actions of demonstrations and corrections that are kept in memory."
    )
    shift_pixels: int = Field(
        default=4, ge=0, description="Pictures are shifted at random by up to so many pixels; 0: not."
    )
    pictures: Literal["raw", "png", "jpeg"] = Field(
        default="raw", description="Pictures in memory: raw is quick, png a half of it and exact, jpeg a tenth."
    )


class LearnerConfig(ListenOptions):
    """Where the learner is, where actor and learner are two processes; both read this."""

    port: int = Field(default=50051, ge=0, le=65535, description="Port it listens on.")
    tls_ca: Path | None = Field(default=None, description="Certificate (PEM) that the actor trusts.")
    push_s: float = Field(default=2.0, gt=0, description="Seconds between new weights.")
    wait_s: float = Field(default=60.0, gt=0, description="Seconds for which the actor waits for the learner to begin.")
    most_waiting: int = Field(
        default=20, gt=0, description="Episodes the actor keeps while the learner is gone; then it pauses."
    )

    def connection(self) -> ConnectOptions:
        """How the actor gets there."""
        return ConnectOptions(
            address=f"{self.host}:{self.port}",
            token_file=self.token_file,
            tls_ca=self.tls_ca,
            max_message_mib=self.max_message_mib,
        )


@runtime_checkable
class LearnsFromReward(Protocol):
    """Configuration of a policy that says how it is usually trained from reward."""

    def algorithm_preset(self) -> Mapping[str, Any]:
        """The section `algorithm` where none is given."""
        ...

    def online_preset(self) -> Mapping[str, Any]:
        """Fields of the section `online` where they are not given."""
        ...

    def learner_preset(self) -> Mapping[str, Any]:
        """Fields of the section `learner` where they are not given."""
        ...

"""`lerobot lekiwi-host`: the host of a LeKiwi for clients of huggingface/lerobot."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from lerobot.core.config.base import CommandConfig, ConfigModel, Unit
from lerobot.core.safety.config import SafetyConfig
from lerobot.lekiwi.config import LeKiwiConfig

LOOPBACK = frozenset({"127.0.0.1", "localhost"})


class HostOptions(ConfigModel):
    """Where the host listens, and how long it waits."""

    bind: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 is the whole network.")
    allow_anybody: bool = Field(
        default=False,
        description="Listen beyond this computer, although these messages have no token: anybody who reaches the "
        "ports drives the robot.",
    )
    port_zmq_cmd: int = Field(default=5555, ge=1, le=65535, description="Port of commands.")
    port_zmq_observations: int = Field(default=5556, ge=1, le=65535, description="Port of observations.")
    connection_time_s: Annotated[float, Unit("s")] | None = Field(
        default=None, gt=0, description="How long it runs; without it, until Ctrl-C."
    )
    watchdog_timeout_ms: Annotated[float, Unit("ms")] = Field(
        default=500, gt=0, description="The base stops when no command came for so long."
    )
    max_loop_freq_hz: Annotated[float, Unit("Hz")] = Field(default=30, gt=0, description="Ticks per second.")

    @model_validator(mode="after")
    def _network_is_allowed(self) -> Self:
        if self.bind not in LOOPBACK and not self.allow_anybody:
            raise ValueError(
                f"bind=127.0.0.1 rather than {self.bind}, or allow_anybody=true as well, because these messages have "
                "no token; `lerobot serve --robot.type=lekiwi` has one"
            )
        return self


class LeKiwiHostConfig(CommandConfig):
    """Drive a LeKiwi for a client of huggingface/lerobot, in its ZeroMQ messages.

    Clients of this project are served by `lerobot serve --robot.type=lekiwi`, which asks for a token.
    """

    target: ClassVar[str] = "lerobot.lekiwi.command:lekiwi_host"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot lekiwi-host --robot.id=kiwi --host.bind=0.0.0.0 --host.allow_anybody=true",
    )

    robot: LeKiwiConfig = Field(default_factory=LeKiwiConfig, description="The robot.")
    host: HostOptions = Field(default_factory=HostOptions, description="Where it listens, and how long it waits.")
    safety: SafetyConfig = Field(default_factory=SafetyConfig, description="Limits of the safety gate.")

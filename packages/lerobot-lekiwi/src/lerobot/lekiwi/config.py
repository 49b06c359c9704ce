"""Configurations of a LeKiwi on its own computer, and of its client on another one."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from lerobot.core.config.base import (
    CameraConfig,
    ConfigModel,
    NoEffect,
    RobotConfig,
    TeleoperatorConfig,
    Unit,
    plugin_class,
)
from lerobot.motors.arms.config import FollowerConfig, RetryFields
from lerobot.remote.wire.config import PORT


def two_cameras() -> dict[str, CameraConfig]:
    """The cameras of the kit, mounted as its instructions have it: upside down in front, on its side at the wrist.

    Raises:
        PluginError: there is no plugin for USB cameras; names the package.
    """
    camera: Any = plugin_class(CameraConfig, "opencv")
    shared: dict[str, Any] = {"fps": 30, "fourcc": "MJPG"}
    return {
        "front": camera(index_or_path="/dev/video0", width=640, height=480, rotation=180, **shared),
        "wrist": camera(index_or_path="/dev/video2", width=480, height=640, rotation=90, **shared),
    }


class LeKiwiConfig(RetryFields, FollowerConfig):
    """A LeKiwi, driven by the computer that it carries."""

    target = "lerobot.lekiwi.robot:LeKiwi"

    type: str = "lekiwi"
    port: str = Field(default="/dev/ttyACM0", description="Serial port of the servos; `lerobot find-port` finds it.")
    cameras: dict[str, CameraConfig] = Field(
        default_factory=two_cameras,
        description="Cameras by name; if none are given, the two of the kit, front and wrist. {} is none.",
    )


class LeKiwiClientConfig(RobotConfig):
    """A LeKiwi that another computer drives."""

    target = "lerobot.lekiwi.client:lekiwi_client"

    type: str = "lekiwi_client"
    remote_ip: str = Field(description="Address of the computer that the robot carries.")
    wire: Literal["lerobot", "zmq"] = Field(
        default="lerobot",
        description="What the host speaks: lerobot is `lerobot serve --robot.type=lekiwi`; zmq is "
        "`lerobot lekiwi-host` or huggingface/lerobot's, which ask for no token.",
    )
    port: int = Field(default=PORT, ge=1, le=65535, description="Port of `lerobot serve`.")
    token_file: Path | None = Field(default=None, description="File with the token that `lerobot serve` wants to see.")
    tls_ca: Path | None = Field(
        default=None, description="Certificate (PEM) of `lerobot serve` to trust: the connection is encrypted."
    )
    port_zmq_cmd: int = Field(default=5555, ge=1, le=65535, description="wire=zmq: port of commands.")
    port_zmq_observations: int = Field(default=5556, ge=1, le=65535, description="wire=zmq: port of observations.")
    cameras: dict[str, CameraConfig] | None = Field(
        default=None,
        description="wire=zmq: cameras of the host by name, for the size of their pictures; if none are given, those "
        "of the kit. Otherwise the host says which it has.",
    )
    connect_timeout_s: Annotated[float, Unit("s")] = Field(
        default=5, gt=0, description="How long to wait for the host."
    )
    max_age_s: Annotated[float, Unit("s")] = Field(
        default=1.0, gt=0, description="An older observation is refused: the connection is lost."
    )
    polling_timeout_ms: Annotated[int, NoEffect()] = Field(default=15, description="Observations are not waited for.")
    teleop_keys: Annotated[dict[str, str], NoEffect()] = Field(
        default_factory=dict, description="The teleoperator lekiwi_leader has its keys itself."
    )


class BaseKeys(ConfigModel):
    """Keys that drive the base."""

    forward: str = Field(default="w", description="Drives forward.")
    backward: str = Field(default="s", description="Drives backward.")
    left: str = Field(default="a", description="Drives to the left.")
    right: str = Field(default="d", description="Drives to the right.")
    rotate_left: str = Field(default="z", description="Turns counter-clockwise.")
    rotate_right: str = Field(default="x", description="Turns clockwise.")
    speed_up: str = Field(default="r", description="The next faster level.")
    speed_down: str = Field(default="f", description="The next slower level.")


class LeKiwiLeaderConfig(TeleoperatorConfig):
    """A leader arm that leads the arm of a LeKiwi, and keys that drive its base."""

    target = "lerobot.lekiwi.leader:LeKiwiLeader"

    type: str = "lekiwi_leader"
    arm: TeleoperatorConfig = Field(description="The leader arm, such as an so101_leader with its port.")
    keyboard: TeleoperatorConfig = Field(
        default_factory=lambda: plugin_class(TeleoperatorConfig, "keyboard")(),
        description="Who says which keys are held; a keyboard if none is given.",
    )
    keys: BaseKeys = Field(default_factory=BaseKeys, description="Keys that drive the base.")

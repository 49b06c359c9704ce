"""Configuration of what is reached over the wire."""

from pydantic import Field

from lerobot.core.config.base import CameraConfig, EnvConfig, RobotConfig, TeleoperatorConfig
from lerobot.remote.wire.config import ConnectOptions


class RemoteDeviceOptions(ConnectOptions):
    """What every device behind the wire has."""

    ready_timeout_s: float = Field(
        default=30.0, gt=0, description="Seconds in which the device has to be ready: motors and cameras are opened."
    )
    max_age_s: float = Field(default=0.5, gt=0, description="Older measurements are not used; seconds.")


class RemoteRobotConfig(RemoteDeviceOptions, RobotConfig):
    """A robot of another computer, or of another environment of this one."""

    target = "lerobot.remote.device.robot:RemoteRobot"

    type: str = "remote"
    confirm_timeout_s: float = Field(
        default=0.1, gt=0, description="Seconds to wait for the robot to say what it was sent, before going on."
    )


class RemoteCameraConfig(RemoteDeviceOptions, CameraConfig):
    """A camera of another computer."""

    target = "lerobot.remote.device.camera:RemoteCamera"

    type: str = "remote"


class RemoteTeleoperatorConfig(RemoteDeviceOptions, TeleoperatorConfig):
    """A teleoperator of another computer."""

    target = "lerobot.remote.device.teleoperator:RemoteTeleoperator"

    type: str = "remote"


class RemoteEnvConfig(ConnectOptions, EnvConfig):
    """A simulated task of another computer, or of another environment of this one."""

    target = "lerobot.remote.device.env:RemoteEnv"

    type: str = "remote"
    reply_timeout_s: float = Field(default=60.0, gt=0, description="Seconds in which a reset or step has to be done.")

"""Configuration of the fake devices."""

from pydantic import Field

from lerobot.core.config.base import CameraConfig, RobotConfig, TeleoperatorConfig
from lerobot.core.events import TeleopEvents


class FakeRobotConfig(RobotConfig):
    """A six-joint arm that exists only in this process; shaped like an SO-101."""

    target = "lerobot.core.fake.robot:FakeRobot"

    type: str = "fake"
    cameras: dict[str, CameraConfig] = Field(default_factory=dict, description="Cameras by name, of any type.")
    time_constant_s: float = Field(
        default=0.05, gt=0, description="Seconds in which a joint covers 63 % of the way to its target."
    )
    disable_torque_on_disconnect: bool = Field(default=True, description="Switch the motors off when disconnecting.")
    factory_calibrated: bool = Field(
        default=True, description="Usable before its first calibration; false behaves like a newly built arm."
    )
    log_length: int = Field(default=20_000, gt=0, description="How many entries the command log keeps, newest last.")
    connect_fails: bool = Field(default=False, description="For testing: the motors cannot be reached.")
    fails_after: int | None = Field(
        default=None, ge=0, description="For testing: reading fails after this many observations."
    )
    sends_fail_after: int | None = Field(
        default=None, ge=0, description="For testing: sending fails after this many commands."
    )
    read_delay_s: float = Field(default=0.0, ge=0, description="For testing: seconds every observation takes longer.")


class FakeTeleoperatorConfig(TeleoperatorConfig):
    """A leader arm that moves by itself: slow sines, or a sequence that is given."""

    target = "lerobot.core.fake.teleoperator:FakeTeleoperator"

    type: str = "fake"
    amplitude: float = Field(
        default=0.25, ge=0, le=1, description="Size of the motion, as a share of half of each joint's range."
    )
    period_s: float = Field(default=8.0, gt=0, description="Seconds one swing of the first joint takes.")
    sequence: list[dict[str, float]] | None = Field(
        default=None, description="Actions to give one after the other instead of sines; the last one is held."
    )
    events: dict[int, list[TeleopEvents]] = Field(
        default_factory=dict, description="Buttons that are down, by the number of the action (from 0)."
    )
    fails_after: int | None = Field(
        default=None, ge=0, description="For testing: reading fails after this many actions."
    )
    read_delay_s: float = Field(default=0.0, ge=0, description="For testing: seconds every action takes longer.")


class FakeCameraConfig(CameraConfig):
    """A camera that draws a test pattern with the number of the frame."""

    target = "lerobot.core.fake.camera:FakeCamera"

    type: str = "fake"
    fps: float = Field(default=30.0, gt=0, description="Frames per second.")
    width: int = Field(default=640, ge=32, description="Picture width in pixels.")
    height: int = Field(default=480, ge=32, description="Picture height in pixels.")
    freezes_after: int | None = Field(
        default=None, ge=1, description="For testing: no new frame comes after this many; the camera reports no error."
    )
    dies_after: int | None = Field(
        default=None, ge=1, description="For testing: the reader thread ends with an error after this many frames."
    )
    frame_delay_s: float = Field(default=0.0, ge=0, description="For testing: seconds every frame comes late.")

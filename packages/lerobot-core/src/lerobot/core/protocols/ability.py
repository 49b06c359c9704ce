"""What a device may be able to do beside what the protocol of its kind asks for; commands look for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from lerobot.core.prompts import Prompter
from lerobot.core.protocols.camera import Camera
from lerobot.core.types import Features


@runtime_checkable
class HasMotorSetup(Protocol):
    """A device whose motors need ids before first use."""

    def setup_motors(self) -> None:
        """Ask for one motor after the other to be plugged in, and give each its id and speed."""
        ...

    def disconnect(self) -> None:
        """Release the bus."""
        ...


@runtime_checkable
class AsksToCalibrate(Protocol):
    """A device that is calibrated by questions to a person, such as to move a joint to its ends."""

    prompter: Prompter

    @property
    def calibration_asks(self) -> bool:
        """Whether `calibrate` would ask; known before `connect`."""
        ...


class Finding(Protocol):
    """One thing that is wrong with a device."""

    @property
    def cause(self) -> str:
        """Most likely cause, in one word: `"missing"`, `"wrong_baud_rate"`, ..."""
        ...

    @property
    def motor(self) -> str:
        """Name of the part it concerns; empty for the whole device."""
        ...

    @property
    def place(self) -> int:
        """Place of the part in its chain, from 1; 0 for the whole device."""
        ...

    @property
    def what(self) -> str:
        """What was found, with values."""
        ...

    @property
    def hint(self) -> str:
        """What to do."""
        ...


@runtime_checkable
class Diagnosable(Protocol):
    """A device that can examine itself while it is not connected."""

    def diagnose(self) -> Sequence[Finding]:
        """Find everything that is wrong; nothing moves and nothing is written."""
        ...


@dataclass(frozen=True, slots=True)
class MotorHealth:
    """What a motor feels now; None for what it does not measure.

    Attributes:
        temperature_c: degrees Celsius.
        current_ma: milliamperes, without sign.
        load_percent: share of the torque that it can give, 0 to 100, without sign.
    """

    temperature_c: float | None = None
    current_ma: float | None = None
    load_percent: float | None = None


@runtime_checkable
class ReportsHealth(Protocol):
    """A robot whose motors measure their temperature, current or load."""

    @property
    def monitored_motors(self) -> Sequence[str]:
        """Names of these motors."""
        ...

    def motor_health(self, motor: str, /) -> MotorHealth:
        """Measure one of them, with one exchange on its line: this is called within a turn of the control loop.

        Raises:
            DeviceError: it does not answer.
        """
        ...


@runtime_checkable
class FindsCameras(Protocol):
    """What a camera class itself (not its objects) may offer: looking for cameras."""

    def find_cameras(self) -> list[dict[str, Any]]:
        """Describe every attached camera of this type: `name`, `type`, `id` and whatever else is known.

        A camera that only a program makes has `simulated: True`; it is listed when its type is asked for.
        """
        ...


@runtime_checkable
class OpensFoundCameras(FindsCameras, Protocol):
    """What a camera class offers beside that, so that a picture of each camera is saved."""

    def from_discovery(self, found: dict[str, Any]) -> Camera:
        """Build the camera that an entry of `find_cameras` describes."""
        ...


@runtime_checkable
class MovesItself(Protocol):
    """A teleoperator with motors that can bring it to a pose, such as a leader arm before a person takes over."""

    @property
    def feedback_features(self) -> Features:
        """See `Teleoperator.feedback_features`; the positions it can be brought to."""
        ...

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """Move to these positions, while torque is on."""
        ...

    def enable_torque(self) -> None:
        """Hold the pose."""
        ...

    def disable_torque(self) -> None:
        """Let a person move it."""
        ...

"""The base classes that huggingface/lerobot's robots, teleoperators and cameras derive from.

Every device of ours counts as one of them: what is asked for are the methods.
"""

import logging
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

from lerobot.core.device import calibration_path
from lerobot.motors.calibration_file import load_calibration, save_calibration
from lerobot.motors.motor import MotorCalibration

log = logging.getLogger(__name__)


class _Device(ABC):
    """What the three have in common.

    A subclass names in `methods` what a class needs to count as one of its kind.
    """

    methods: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __subclasshook__(cls, other: type) -> Any:
        """Whether a class has the methods of this kind."""
        own = cls.__dict__.get("methods")
        if not own:
            return NotImplemented
        return all(any(name in base.__dict__ for base in other.__mro__) for name in own) or NotImplemented

    @property
    @abstractmethod
    def is_connected(self) -> bool:
        """Whether the device can be used now."""

    @abstractmethod
    def disconnect(self) -> None:
        """Release the device."""

    def __enter__(self) -> Self:
        """Connect."""
        self.connect()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Disconnect."""
        self.disconnect()

    @abstractmethod
    def connect(self) -> None:
        """Open the device; the kinds give it their own parameters."""


class _Calibrated(_Device):
    """A device with a calibration file.

    Args:
        config: with `id` and `calibration_dir`.

    Attributes:
        id: name of this very device.
        calibration_dir: folder of its calibration.
        calibration_fpath: the file.
        calibration: what the file holds, by motor; empty if there is none.
    """

    name: str
    role: ClassVar[str]
    config_class: type

    def __init__(self, config: Any) -> None:
        self.id: str | None = config.id
        self.calibration_fpath = calibration_path(self.role, self.name, self.id, config.calibration_dir)
        self.calibration_dir = self.calibration_fpath.parent
        self.calibration_dir.mkdir(parents=True, exist_ok=True)
        self.calibration: dict[str, MotorCalibration] = {}
        if self.calibration_fpath.is_file():
            self._load_calibration()

    def __str__(self) -> str:
        """The id and the class."""
        return f"{self.id} {type(self).__name__}"

    @abstractmethod
    def connect(self, calibrate: bool = True) -> None:
        """Open the device and make it ready.

        Args:
            calibrate: run the calibration if there is none.
        """

    @property
    @abstractmethod
    def is_calibrated(self) -> bool:
        """Whether it is calibrated; True if it needs no calibration."""

    @abstractmethod
    def calibrate(self) -> None:
        """Find the calibration with the user's help."""

    @abstractmethod
    def configure(self) -> None:
        """Write the settings the device needs for operation."""

    @property
    @abstractmethod
    def action_features(self) -> dict[str, Any]:
        """Keys of an action, each with `float` or the shape of an array; known before `connect`."""

    def _load_calibration(self, fpath: Path | None = None) -> None:
        """Read `calibration` from a file, `calibration_fpath` if None."""
        self.calibration = load_calibration(fpath or self.calibration_fpath)

    def _save_calibration(self, fpath: Path | None = None) -> None:
        """Write `calibration` to a file, `calibration_fpath` if None."""
        save_calibration(fpath or self.calibration_fpath, self.calibration)


class Robot(_Calibrated):
    """A robot in huggingface/lerobot's shape; see `lerobot.core.protocols.Robot` for ours.

    A subclass sets `name` and `config_class`.
    """

    role = "robots"
    methods = frozenset({"connect", "disconnect", "is_connected", "get_observation", "send_action"})

    def __init__(self, config: Any) -> None:
        self.robot_type = self.name
        super().__init__(config)

    @property
    @abstractmethod
    def observation_features(self) -> dict[str, Any]:
        """Keys of an observation, each with `float` or the shape of a picture; known before `connect`."""

    @abstractmethod
    def get_observation(self) -> dict[str, Any]:
        """Measure: one value per key of `observation_features`."""

    @abstractmethod
    def send_action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Send a command and return what was really sent."""


class Teleoperator(_Calibrated):
    """A teleoperator in huggingface/lerobot's shape; a subclass sets `name` and `config_class`."""

    role = "teleoperators"
    methods = frozenset({"connect", "disconnect", "is_connected", "get_action", "send_feedback"})

    @property
    @abstractmethod
    def feedback_features(self) -> dict[str, Any]:
        """Keys of what `send_feedback` takes."""

    @abstractmethod
    def get_action(self) -> dict[str, Any]:
        """Read the command of this instant."""

    @abstractmethod
    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """Make the operator feel the robot."""


class Camera(_Device):
    """A camera in huggingface/lerobot's shape.

    Args:
        config: with `fps`, `width` and `height`.
    """

    methods = frozenset({"connect", "disconnect", "is_connected", "read", "async_read"})

    def __init__(self, config: Any) -> None:
        self.fps: int | None = config.fps
        self.width: int | None = config.width
        self.height: int | None = config.height

    @staticmethod
    @abstractmethod
    def find_cameras() -> list[dict[str, Any]]:
        """Describe every attached camera of this type."""

    @abstractmethod
    def connect(self, warmup: bool = True) -> None:
        """Open the camera.

        Args:
            warmup: wait until exposure has settled.
        """

    @abstractmethod
    def read(self) -> Any:
        """Wait for a picture and return it, `(H, W, C)`."""

    @abstractmethod
    def async_read(self, timeout_ms: float = 200) -> Any:
        """Return the next picture that a thread in the background read.

        Args:
            timeout_ms: longest wait.
        """

    def read_latest(self, max_age_ms: int = 500) -> Any:
        """Return the newest picture; a camera that keeps none waits for the next.

        Args:
            max_age_ms: how old it may be.
        """
        del max_age_ms
        return self.async_read()

"""The cameras of one robot: opened together, read together, measured together."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lerobot.core.config.base import CameraConfig
from lerobot.core.errors import DeviceConnectionError
from lerobot.core.protocols.camera import Camera, DepthCamera
from lerobot.core.types import FeatureSpec, Frame, Observation, Stamp

log = logging.getLogger(__name__)


PICTURE_AXES = ("height", "width", "channels")


def depth_key(camera: str) -> str:
    """Key of the depth `(height, width, 1)` uint16 millimetres of a camera of a robot, as in huggingface/lerobot."""
    return f"{camera}_depth"


@dataclass(frozen=True, slots=True)
class CameraRate:
    """How fast a camera really is while all of them run.

    Attributes:
        expected_hz: rate the configuration asks for.
        measured_hz: pictures per second that arrived.
    """

    expected_hz: float
    measured_hz: float

    @property
    def is_short(self) -> bool:
        """Whether more than one picture in twenty is missing."""
        return self.measured_hz < 0.95 * self.expected_hz


class CameraSet(Mapping[str, Camera]):
    """Named cameras that share one life.

    Args:
        configs: one configuration per name; width, height and fps are set in each (`RobotConfig` sees to it).
        build: makes a camera from its name and configuration, for robots whose cameras need more than that.
    """

    def __init__(
        self, configs: Mapping[str, CameraConfig], build: Callable[[str, CameraConfig], Camera] | None = None
    ) -> None:
        self._configs = dict(configs)
        self._cameras: dict[str, Camera] = {
            name: build(name, config) if build else config.build() for name, config in configs.items()
        }

    def __getitem__(self, name: str) -> Camera:
        """The camera of this name."""
        return self._cameras[name]

    def __iter__(self) -> Iterator[str]:
        """Names in the order of the configuration."""
        return iter(self._cameras)

    def __len__(self) -> int:
        """How many cameras there are."""
        return len(self._cameras)

    @property
    def features(self) -> dict[str, FeatureSpec]:
        """A `(height, width, 3)` uint8 picture per camera, keyed by its name, and its depth, see `depth_key`."""
        features = {}
        for name, config in self._configs.items():
            size = (config.height or 0, config.width or 0)
            if config.has_color:
                features[name] = FeatureSpec("uint8", (*size, 3), PICTURE_AXES)
            if config.has_depth:
                features[depth_key(name)] = FeatureSpec("uint16", (*size, 1), PICTURE_AXES, unit="mm")
        return features

    @property
    def is_connected(self) -> bool:
        """Whether every camera is connected."""
        return all(camera.is_connected for camera in self.values())

    def connect(self, measure_s: float = 0.0) -> None:
        """Open all cameras at the same time.

        Args:
            measure_s: seconds to count pictures for once all of them run; a shortfall is logged as a warning.

        Raises:
            DeviceConnectionError: a camera failed; the others are closed again and every failure is named.
        """
        if not self._cameras:
            return
        with ThreadPoolExecutor(len(self._cameras), thread_name_prefix="camera-connect") as pool:
            pending = {name: pool.submit(camera.connect) for name, camera in self.items()}
        failures = {name: error for name, future in pending.items() if (error := future.exception())}
        if failures:
            self.disconnect()
            lines = "\n".join(f"  {name}: {error}" for name, error in failures.items())
            raise DeviceConnectionError(
                f"{len(failures)} of {len(self)} cameras could not be opened.\n{lines}",
                hint="List what is attached: lerobot find-cameras",
            ) from next(iter(failures.values()))
        if measure_s > 0:
            self._warn_of_shortfall(self.measure(measure_s))

    def measure(self, duration_s: float) -> dict[str, CameraRate]:
        """Count pictures of all cameras over the same time."""
        first = {name: camera.latest_frame() for name, camera in self.items()}
        time.sleep(duration_s)
        last = {name: camera.latest_frame() for name, camera in self.items()}
        rates = {}
        for name, config in self._configs.items():
            expected = config.fps or 0.0
            # Between two pictures the interval is exact; it is the whole time for a camera that stopped in between.
            period = 1 / expected if expected else 0.0
            elapsed = max(last[name].time_s - first[name].time_s, duration_s - period)
            pictures = last[name].sequence - first[name].sequence
            rates[name] = CameraRate(expected, pictures / elapsed if elapsed > 0 else 0.0)
        return rates

    def _warn_of_shortfall(self, rates: Mapping[str, CameraRate]) -> None:
        for name, rate in rates.items():
            if rate.is_short:
                log.warning(
                    "camera %r gives %.1f of the %.1f pictures a second that were asked for; "
                    "try another USB port, a smaller picture, fourcc MJPG, or more light",
                    name,
                    rate.measured_hz,
                    rate.expected_hz,
                )

    def read_into(self, observation: Observation) -> None:
        """Add the newest pictures of every camera, without waiting, each with its capture time and number."""
        for name, camera in self.items():
            config = self._configs[name]
            _add(observation, name if config.has_color else depth_key(name), camera.latest_frame())
            if config.has_color and isinstance(camera, DepthCamera) and config.has_depth:
                _add(observation, depth_key(name), camera.latest_depth_frame())

    def disconnect(self) -> None:
        """Close every camera, also when one of them fails to close."""
        for name, camera in self.items():
            try:
                camera.disconnect()
            except Exception:  # a camera that cannot be closed must not keep the others, or the motors, waiting
                log.exception("camera %r could not be closed", name)


def _add(observation: Observation, key: str, frame: Frame) -> None:
    observation[key] = frame.image
    observation.stamps[key] = Stamp(frame.time_s, frame.sequence)


@runtime_checkable
class HasCameras(Protocol):
    """A device with cameras of its own."""

    cameras: CameraSet
    """The cameras; empty if none is configured."""

"""What robots and teleoperators of third-party plugins have in common behind our protocols."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self

from lerobot.compat.factories import make_device_from_device_class
from lerobot.core.errors import AlreadyConnectedError, DeviceError, LeRobotError
from lerobot.core.types import FeatureSpec, as_features

log = logging.getLogger(__name__)


def build(config: Any, name: str) -> Any:
    """Make the device that a plugin's configuration is of.

    Args:
        config: model of the configuration.
        name: of the device, for messages.

    Raises:
        PluginError: there is no class of the name the configuration says.
        DeviceError: the plugin's constructor failed.
    """
    made = config.original()
    with told(name, "made"):
        return config.device(made) if config.device else make_device_from_device_class(made)


@contextmanager
def told(device: str, doing: str) -> Iterator[None]:
    """Turn whatever a plugin raises into an error that names the device.

    Raises:
        DeviceError: the block raised anything that is no error of ours.
    """
    try:
        yield
    except LeRobotError:
        raise
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        raise DeviceError(f"{device} could not be {doing}: {type(error).__name__}: {first}", device=device) from error


def features(declared: Mapping[str, Any], units: Any, device: str) -> dict[str, FeatureSpec]:
    """Features as a plugin declares them, with the units that the configuration adds.

    Args:
        declared: by key a type or the shape of a picture.
        units: one for all numbers, or by key, with or without its ending; None if nothing is known.
        device: name for messages.

    Raises:
        DeviceError: a unit is given for a key that the device does not have.
    """
    specs = as_features(declared)
    if isinstance(units, str):
        units = {key: units for key, spec in specs.items() if spec.is_scalar and spec.dtype == "float32"}
    for name, unit in (units or {}).items():
        meant = [key for key in specs if name in {key, key.rpartition(".")[0]}]
        if not meant:
            raise DeviceError(f"{device} has no {name!r}", device=device, expected=f"units for {', '.join(specs)}")
        specs |= {key: replace(specs[key], unit=unit) for key in meant}
    return specs


class AdaptedDevice:
    """Life of a robot or teleoperator that a plugin implements.

    Args:
        config: model of its configuration.
        device: what the plugin made of it, see `build`.
    """

    def __init__(self, config: Any, device: Any) -> None:
        self.config = config
        self.id: str | None = config.id
        self.device = device
        self.name: str = device.name
        self._held = False

    def __str__(self) -> str:
        """Name of the class with the id, as of every device."""
        return f"{self.name}({self.id})" if self.id else self.name

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """See `Robot.action_features`; a plugin states no ranges, and only the configuration states units."""
        with told(str(self), "asked for its action"):
            return features(self.device.action_features, self.config.units, str(self))

    def connect(self, calibrate: bool = True) -> None:
        """See `Calibratable.connect`."""
        if self._held or self.is_connected:
            raise AlreadyConnectedError(f"{self} is already connected.", device=str(self))
        with told(str(self), "connected"):
            self._held = True
            try:
                # Some leave the argument out, which huggingface/lerobot's own commands never give.
                self.device.connect(**({} if calibrate else {"calibrate": False}))
            except BaseException:
                self._release()
                raise

    @property
    def is_connected(self) -> bool:
        """See `Device.is_connected`."""
        return bool(self.device.is_connected)

    @property
    def is_calibrated(self) -> bool:
        """See `Calibratable.is_calibrated`."""
        with told(str(self), "asked for its calibration"):
            return bool(self.device.is_calibrated)

    def calibrate(self) -> None:
        """See `Calibratable.calibrate`; the plugin asks the user itself."""
        with told(str(self), "calibrated"):
            self.device.calibrate()

    def configure(self) -> None:
        """See `Calibratable.configure`."""
        with told(str(self), "configured"):
            self.device.configure()

    def disconnect(self) -> None:
        """See `Device.disconnect`.

        A plugin that counts a lost camera as not connected is disconnected all the same: its motors are on. Many
        refuse a second time, which is therefore not asked for.
        """
        if self._held or self.is_connected:
            with told(str(self), "disconnected"):
                self.device.disconnect()
        self._held = False

    def _release(self) -> None:
        """Let go of what a connection that failed holds, without hiding why it failed."""
        try:
            self.device.disconnect()
        except Exception as error:  # noqa: BLE001 - most say that they are not connected
            log.debug("%s after its connection failed: %s", self, error)
        self._held = False

    def __enter__(self) -> Self:
        """Connect."""
        self.connect()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Disconnect."""
        self.disconnect()


def named(config: Any) -> str:
    """A device as messages name it before it is made."""
    return f"{config.type}({config.id})" if config.id else str(config.type)

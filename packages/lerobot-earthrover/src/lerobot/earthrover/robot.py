"""An EarthRover Mini+ behind the local server of its SDK."""

import logging
import math
from typing import Any

from lerobot.core.cameras import CameraSet
from lerobot.core.device import DeviceBase
from lerobot.core.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec, Observation, Stamp
from lerobot.earthrover.camera import RoverCamera
from lerobot.earthrover.commander import Commander
from lerobot.earthrover.config import EarthRoverMiniPlusConfig, RoverCameraConfig
from lerobot.earthrover.keys import ACTION_FEATURES, HEIGHT, STATE_FEATURES, VIEWS, WIDTH
from lerobot.earthrover.messages import decode_telemetry, untold
from lerobot.earthrover.route import Route
from lerobot.remote.newest import Timed
from lerobot.remote.receiver import Receiver
from lerobot.remote.watchdog import Watchdog

log = logging.getLogger(__name__)


class EarthRoverMiniPlus(DeviceBase):
    """A rover that follows velocities and shows what is before and behind it.

    Images, telemetry and commands have a connection and a thread each. A source that falls silent for a moment is
    waited for; one that stays silent is an error.

    Args:
        config: see `EarthRoverMiniPlusConfig`.
        prompter: who answers questions; nobody is asked.
    """

    name = "earthrover_mini_plus"
    safe_state = "standing still"

    def __init__(self, config: EarthRoverMiniPlusConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        views = {view: RoverCameraConfig(rover=config, view=view, width=WIDTH, height=HEIGHT) for view in VIEWS}
        self.cameras = CameraSet(views, _camera)
        self._route = Route(str(self), config.sdk_url, "/data", self._telemetry_of, timeout_s=config.read_timeout_s)
        self._telemetry: Receiver[dict[str, float]] = Receiver(
            str(self), self._receive, max_age_s=config.max_telemetry_age_s
        )
        self.commander = Commander(
            str(self), config.sdk_url, timeout_s=config.command_timeout_s, give_up_s=config.max_age_s
        )
        self._watchdog = Watchdog(config.watchdog_s, lambda: self.commander.send(0.0, 0.0), name=str(self))
        self._untold: list[str] = []

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """`linear_velocity`, forward, and `angular_velocity`, to the left, as shares of full speed."""
        return dict(ACTION_FEATURES)

    @property
    def observation_features(self) -> dict[str, FeatureSpec]:
        """The images `front` and `rear`, and the telemetry."""
        return {**self.cameras.features, **STATE_FEATURES}

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, calibrate: bool = True) -> None:  # noqa: ARG002 - there is nothing to calibrate
        """See `Calibratable.connect`.

        Raises:
            DeviceConnectionError: the server is not there, or gives no telemetry or no images; says what it says.
        """
        config = self.config
        with self._connecting():
            self._route.open()
            self._untold = []
            try:
                self._telemetry.start(first_within_s=config.connect_timeout_s)
            except DeviceTimeoutError as error:
                reason = (
                    "it answers, but tells nothing new" if self._route.trouble is None else self._route.trouble.what
                )
                raise DeviceConnectionError(
                    f"{self}: no telemetry came from {config.sdk_url} within {config.connect_timeout_s:g} s: {reason}",
                    device=str(self),
                    hint="" if self._route.trouble is None else self._route.trouble.hint,
                ) from error
            self.cameras.connect()
            self.commander.start()
            self._watchdog.start()
            self.configure()

    @property
    def is_calibrated(self) -> bool:
        """Always: there is nothing to calibrate."""
        return True

    def calibrate(self) -> None:
        """There is nothing to calibrate."""

    def configure(self) -> None:
        """There is nothing to configure."""

    def enter_safe_state(self) -> None:
        """Stop the rover, and wait until the server has taken the command.

        Raises:
            DeviceConnectionError: it did not take it: the rover may be driving.
        """
        self.require_connected()
        self.commander.halt()

    def _close(self) -> None:
        self._watchdog.stop()
        if self.commander.is_running:
            try:
                self.commander.halt()
            except DeviceError as error:
                log.error("%s could not be told to stop: %s", self, error)
        self.commander.close()
        self._route.abort()
        self._telemetry.stop()
        self._route.close()
        self.cameras.disconnect()

    # --- measuring and moving ----------------------------------------------------------------------------------------

    def get_observation(self) -> Observation:
        """The newest of each source, stamped with when it was asked for.

        Raises:
            DeviceTimeoutError: a source has told nothing new for too long; says what it told last.
        """
        self.require_connected()
        try:
            newest = self._telemetry.newest.latest()
        except DeviceTimeoutError as error:
            raise self._route.explained(error) from error
        observation = Observation()
        self.cameras.read_into(observation)
        observation.update(newest.value)
        observation.stamps.update(dict.fromkeys(newest.value, Stamp(newest.time_s, newest.sequence)))
        return observation

    def send_action(self, action: Action) -> Action:
        """See `Robot.send_action`; a velocity that is left out is zero.

        Returns:
            What was given to the thread that sends commands, within -1 to 1.

        Raises:
            DeviceError: a velocity is no finite number; nothing was sent.
            DeviceConnectionError: no command got through for `EarthRoverMiniPlusConfig.max_age_s`.
        """
        self.require_connected()
        sent = {key: _share(key, action.get(key, 0.0)) for key in ACTION_FEATURES}
        self._watchdog.feed()
        self.commander.send(sent["linear_velocity"], sent["angular_velocity"])
        return sent

    def _receive(self, _timeout_s: float) -> Timed[dict[str, float]] | None:
        """See `Receiver`."""
        came = self._route.news()
        if came is not None:
            # What switches the lamp is the command: without this, driving would switch it off.
            self.commander.lamp = round(came.value["lamp"])
        return came

    def _telemetry_of(self, answer: dict[str, object]) -> dict[str, float]:
        values = decode_telemetry(answer)
        lacking = untold(answer)
        if lacking and not self._untold:
            log.warning("%s does not tell %s: they are recorded as 0", self, ", ".join(lacking))
            self._untold = lacking
        return values


def _camera(_view: str, config: Any) -> Any:
    return RoverCamera(config)


def _share(key: str, value: object) -> float:
    number = float(value) if isinstance(value, int | float) else math.nan
    if not math.isfinite(number):
        raise DeviceError(f"{key}: {value!r} is no velocity.", expected="a finite number from -1 to 1")
    return min(max(number, -1.0), 1.0)

"""The client of a LeKiwi in the messages of huggingface/lerobot."""

import logging
from typing import Any

import zmq

from lerobot.core.device import DeviceBase
from lerobot.core.errors import DeviceConnectionError, DeviceTimeoutError
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec, Observation, Stamp
from lerobot.lekiwi.config import LeKiwiClientConfig, two_cameras
from lerobot.lekiwi.keys import ARM_JOINTS, BASE_FEATURES
from lerobot.lekiwi.messages import decode_observation, encode_command
from lerobot.remote.receiver import Receiver
from lerobot.remote.wire.errors import WireError

log = logging.getLogger(__name__)

ARM_FEATURE = FeatureSpec(unit="deg", range=(-180.0, 180.0), max_velocity=270.0)
GRIPPER_FEATURE = FeatureSpec(unit="percent", range=(0.0, 100.0))
"""What these messages leave open: the host knows the calibrated travel and holds commands inside it."""

LAST_COMMAND_MS = 200
"""How long closing waits for the command to stop to be sent."""


class ZmqClient(DeviceBase):
    """A LeKiwi on the other end of a network.

    Args:
        config: see `LeKiwiClientConfig`.
        prompter: who answers questions; nobody is asked.
    """

    name = "lekiwi_client"
    safe_state = "base stopped; a silent client's arm is released by its host"

    def __init__(self, config: LeKiwiClientConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        cameras = two_cameras() if config.cameras is None else config.cameras
        self._shapes = {name: (each.height or 0, each.width or 0, 3) for name, each in cameras.items()}
        self._receiver: Receiver[dict[str, Any]] = Receiver(str(self), self._receive, max_age_s=config.max_age_s)
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._refusal: WireError | None = None

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint targets, `arm_<joint>.pos`, and the velocity of the body: `x.vel`, `y.vel`, `theta.vel`."""
        arm = {f"{joint}.pos": GRIPPER_FEATURE if joint == "arm_gripper" else ARM_FEATURE for joint in ARM_JOINTS}
        return {**arm, **BASE_FEATURES}

    @property
    def observation_features(self) -> dict[str, FeatureSpec]:
        """What is commanded, measured, and one image per camera."""
        pictures = {
            name: FeatureSpec("uint8", shape, ("height", "width", "channels")) for name, shape in self._shapes.items()
        }
        return {**self.action_features, **pictures}

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, calibrate: bool = True) -> None:  # noqa: ARG002 - the host calibrates
        """See `Calibratable.connect`.

        Raises:
            DeviceConnectionError: no observation came in time.
        """
        config = self.config
        with self._connecting():
            self._context = zmq.Context()
            self._commands = self._context.socket(zmq.PUSH)
            # Set before connecting, or it has no effect: a host that comes late gets the newest command only.
            self._commands.setsockopt(zmq.CONFLATE, 1)
            self._commands.connect(f"tcp://{config.remote_ip}:{config.port_zmq_cmd}")
            self._observations = self._context.socket(zmq.PULL)
            self._observations.setsockopt(zmq.RCVHWM, 2)
            self._observations.connect(f"tcp://{config.remote_ip}:{config.port_zmq_observations}")
            try:
                self._receiver.start(first_within_s=config.connect_timeout_s)
            except DeviceTimeoutError as error:
                if self._refusal is not None:
                    raise DeviceConnectionError(
                        f"{self}: what {config.remote_ip} sends is of no use: {self._refusal.what}.",
                        device=str(self),
                        expected=self._refusal.expected,
                        hint="Give --robot.cameras as the host has them.",
                    ) from self._refusal
                raise DeviceConnectionError(
                    f"{self}: no observation came from {config.remote_ip}:{config.port_zmq_observations} within "
                    f"{config.connect_timeout_s:g} s.",
                    device=str(self),
                    hint="Start the host there: lerobot lekiwi-host, or huggingface/lerobot's; it lets one client in.",
                ) from error

    @property
    def is_calibrated(self) -> bool:
        """Always: the host calibrates."""
        return True

    def calibrate(self) -> None:
        """The host calibrates."""

    def configure(self) -> None:
        """The host configures."""

    def enter_safe_state(self) -> None:
        """Stop the base; the host sees to the arm, which it holds and then releases, once nothing more comes."""
        self._send(dict.fromkeys(BASE_FEATURES, 0.0))

    def _close(self) -> None:
        self._receiver.stop()
        if self._context is not None:
            self._context.destroy(linger=LAST_COMMAND_MS)
            self._context = None

    # --- measuring and moving ----------------------------------------------------------------------------------------

    def get_observation(self) -> Observation:
        """The newest observation that came, stamped with when it came.

        Raises:
            DeviceTimeoutError: it is older than `LeKiwiClientConfig.max_age_s`.
            DeviceError: what comes from the host does not fit the configuration.
        """
        self.require_connected()
        newest = self._receiver.newest.latest()
        stamp = Stamp(newest.time_s, newest.sequence)
        return Observation(newest.value, dict.fromkeys(newest.value, stamp))

    def send_action(self, action: Action) -> Action:
        """See `Robot.send_action`; keys that are not a LeKiwi's are left out, and the host limits the rest.

        Returns:
            What was given to the host, within the declared ranges.
        """
        sent = {}
        for key, spec in self.action_features.items():
            if key in action and spec.range is not None:
                low, high = spec.range
                sent[key] = min(max(float(action[key]), low), high)
        self._send(sent)
        return sent

    def _send(self, command: Action) -> None:
        self.require_connected()
        self._commands.send(encode_command(command), zmq.NOBLOCK)

    def _receive(self, timeout_s: float) -> dict[str, Any] | None:
        """The last of the observations that wait; see `Receiver`."""
        if not self._observations.poll(round(timeout_s * 1000)):
            return None
        frames = self._observations.recv_multipart()
        while self._observations.poll(0):
            frames = self._observations.recv_multipart()
        try:
            return decode_observation(frames, self._shapes)
        except WireError as error:
            if self._refusal is None:
                log.warning("%s: %s; more of this kind is not told", self, error.what)
            self._refusal = error
            return None

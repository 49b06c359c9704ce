"""A Unitree G1 behind its bridge."""

import logging
import math
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lerobot.core.cameras import CameraSet
from lerobot.core.device import DeviceBase
from lerobot.core.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError, FeatureMismatchError
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec, Observation, Stamp
from lerobot.remote.receiver import Receiver
from lerobot.remote.watchdog import Watchdog
from lerobot.remote.wire.errors import WireError
from lerobot.unitree_g1.config import UnitreeG1Config
from lerobot.unitree_g1.joints import JOINTS, MEASURED, POSITIONS
from lerobot.unitree_g1.messages import MAX_BYTES, MotorCommand, State, decode_state, encode_command

if TYPE_CHECKING:  # ZeroMQ is loaded by connecting
    import zmq

log = logging.getLogger(__name__)

CAMERA_TEST_S = 1.0
"""How long pictures are counted when the robot connects."""
LAST_COMMAND_MS = 1000
"""How long closing waits for the last command to be sent."""
TIMES, PAUSE_S = 3, 0.01
"""How often what must arrive is sent: a socket that keeps only the newest message loses it when it is read at the same
moment; of 114,644 bursts over loopback 3 lost their last message (libzmq 4.3, two cores)."""
STIFFEN_S = 2.0
"""How long joints that were damped take to become as stiff as they were."""

LEFT_OUT = {
    "is_simulation": "--robot.is_simulation=false: the simulation is a program of the Hub (lerobot/unitree-g1-mujoco)",
    "controller": "--robot.controller=null: walking needs networks of the Hub (Groot, Holosoma, Sonic)",
    "gravity_compensation": "--robot.gravity_compensation=false: it needs a model of the Hub, pinocchio and casadi",
}
"""What of huggingface/lerobot there is not here, by the field that asks for it."""


class UnitreeG1(DeviceBase):
    """Follows positions of its 29 joints, each with its stiffness and damping.

    The vendor's bridge goes on with the last command for ever, so a watchdog damps the joints once nothing was
    commanded for `UnitreeG1Config.command_timeout_s`; the next command takes them up again, less stiff at first.
    Nothing is sent before the first command, and none without a fresh state of the robot.

    Args:
        config: see `UnitreeG1Config`.
        prompter: who answers questions; nobody is asked.

    Raises:
        DeviceError: the configuration asks for what there is not here; names it.
    """

    name = "unitree_g1"
    safe_state = "joints damped: it sinks under its weight unless it hangs"

    def __init__(self, config: UnitreeG1Config, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        for field, instead in LEFT_OUT.items():
            if (given := getattr(config, field)) not in (False, None):
                raise DeviceError(f"unitree_g1 cannot have {field}={given}.", device=str(self), expected=instead)
        self.config = config
        self.cameras = CameraSet(config.cameras)
        self._receiver: Receiver[State] = Receiver(str(self), self._receive, max_age_s=config.max_age_s)
        self._watchdog = Watchdog(config.command_timeout_s, self._damp_silently, name=str(self))
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._sending = threading.Lock()
        self._targets: dict[str, float] = {}
        self._damped, self._stiff_from_s = False, -math.inf
        self._mode = 0
        self._due_s = 0.0
        self._refusal: WireError | None = None

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Position of every joint in radians, such as `kLeftElbow.q`."""
        return dict(POSITIONS)

    @property
    def observation_features(self) -> dict[str, FeatureSpec]:
        """Positions, what `UnitreeG1Config.measured` adds, and one image per camera."""
        more = MEASURED if self.config.measured == "all" else {}
        return {**POSITIONS, **more, **self.cameras.features}

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, calibrate: bool = True) -> None:  # noqa: ARG002 - it needs none
        """See `Calibratable.connect`; nothing is sent.

        Raises:
            DeviceConnectionError: no state came in time, or what came is of no use.
        """
        with self._connecting():
            self._open_sockets()
            state = self._first_state()
            self._mode = state.mode_machine
            self._targets = {key: state.values[key] for key in POSITIONS}
            self._damped, self._stiff_from_s = False, -math.inf
            self.cameras.connect(CAMERA_TEST_S)
            self.configure()
            self._watchdog.start()

    def _open_sockets(self) -> None:
        import zmq

        config = self.config
        self._context = zmq.Context()
        self._commands = self._context.socket(zmq.PUSH)
        # Set before connecting, or it has no effect: a bridge that comes late gets the newest command only.
        self._commands.setsockopt(zmq.CONFLATE, 1)
        self._commands.connect(f"tcp://{config.robot_ip}:{config.command_port}")
        self._states = self._context.socket(zmq.SUB)
        self._states.setsockopt(zmq.CONFLATE, 1)
        self._states.setsockopt(zmq.MAXMSGSIZE, MAX_BYTES)
        self._states.setsockopt(zmq.SUBSCRIBE, b"")
        self._states.connect(f"tcp://{config.robot_ip}:{config.state_port}")

    def _first_state(self) -> State:
        config = self.config
        self._refusal = None
        try:
            return self._receiver.start(first_within_s=config.connect_timeout_s).value
        except DeviceTimeoutError as error:
            where = f"{config.robot_ip}:{config.state_port}"
            if self._refusal is not None:
                raise DeviceConnectionError(
                    f"{self}: what {where} sends is of no use: {self._refusal.what}.",
                    device=str(self),
                    expected=self._refusal.expected,
                ) from self._refusal
            raise DeviceConnectionError(
                f"{self}: no state came from {where} within {config.connect_timeout_s:g} s.",
                device=str(self),
                hint="Start the bridge on the robot: run_g1_server.py of huggingface/lerobot.",
            ) from error

    @property
    def is_calibrated(self) -> bool:
        """Always: its motors know where they are."""
        return True

    def calibrate(self) -> None:
        """There is nothing to calibrate."""

    def configure(self) -> None:
        """There is nothing to configure: gains go with every command."""

    def enter_safe_state(self) -> None:
        """Damp every joint; see `safe_state`.

        Raises:
            DeviceConnectionError: the robot is silent, so that nobody knows whether it heard.
        """
        self.require_connected()
        self._damp()
        if self._receiver.newest.fresh() is None:
            raise DeviceConnectionError(
                f"{self} is silent: whether it heard that its joints shall be damped is not known.",
                device=str(self),
                hint="It goes on with what it heard last: stop it as its manual says, or cut its power.",
            )

    def _close(self) -> None:
        self._watchdog.stop()
        self.cameras.disconnect()
        self._receiver.stop()
        if self._context is not None:
            if self._targets and self.config.disable_torque_on_disconnect:
                self._yield_with([0.0] * len(JOINTS))
            self._context.destroy(linger=LAST_COMMAND_MS)
            self._context, self._targets = None, {}

    # --- measuring and moving ----------------------------------------------------------------------------------------

    def get_observation(self) -> Observation:
        """See `Robot.get_observation`; the newest state, stamped with when it came.

        Raises:
            DeviceTimeoutError: it is older than `UnitreeG1Config.max_age_s`.
            DeviceError: a camera stopped.
        """
        self.require_connected()
        newest = self._receiver.newest.latest()
        keys = POSITIONS if self.config.measured == "positions" else {**POSITIONS, **MEASURED}
        values = {key: newest.value.values[key] for key in keys}
        observation = Observation(values, dict.fromkeys(values, Stamp(newest.time_s, newest.sequence)))
        self.cameras.read_into(observation)
        return observation

    def send_action(self, action: Action) -> Action:
        """See `Robot.send_action`; a joint that is left out keeps its target.

        Returns:
            What was sent, for every joint that was named, inside its limits.

        Raises:
            FeatureMismatchError: a key is not the robot's, or a value no finite number; nothing was sent.
            DeviceTimeoutError: there is no fresh state of the robot; nothing was sent.
            DeviceError: another robot answers than at first; nothing was sent.
        """
        self.require_connected()
        targets = {}
        for key, value in action.items():
            if key not in POSITIONS:
                raise FeatureMismatchError(f"{self} has no {key}", keys=[key], expected="joints such as kLeftElbow.q")
            if not math.isfinite(value):
                raise FeatureMismatchError(f"{key}: {value} is no target", keys=[key], expected="a finite number")
            low, high = POSITIONS[key].range or (-math.inf, math.inf)
            targets[key] = min(max(float(value), low), high)
        mode = self._receiver.newest.latest().value.mode_machine
        if mode != self._mode:
            raise DeviceError(
                f"{self} became another robot: mode_machine {mode} instead of {self._mode}.", device=str(self)
            )
        self._targets |= targets
        if self._damped:
            self._damped, self._stiff_from_s = False, time.monotonic()
        stiffness = min(1.0, (time.monotonic() - self._stiff_from_s) / STIFFEN_S)
        gains = zip(JOINTS, self.config.kp, self.config.kd, strict=True)
        self._send([MotorCommand(self._targets[joint.key], stiffness * kp, kd) for joint, kp, kd in gains])
        self._watchdog.feed()
        return targets

    def _damp(self) -> None:
        """No stiffness: whatever moves is braked, and the pose is given up."""
        self._damped = True
        self._yield_with(self.config.kd)

    def _damp_silently(self) -> None:
        """What the watchdog does."""
        log.warning("%s: nothing was commanded for %g s: its joints are damped", self, self.config.command_timeout_s)
        self._damp()

    def _yield_with(self, damping: Sequence[float]) -> None:
        newest = self._receiver.newest.fresh()
        pose = self._targets if newest is None else newest.value.values
        motors = [MotorCommand(pose[joint.key], 0.0, kd) for joint, kd in zip(JOINTS, damping, strict=True)]
        for _ in range(TIMES):
            self._send(motors)
            time.sleep(PAUSE_S)

    def _send(self, motors: list[MotorCommand]) -> None:
        import zmq

        with self._sending:  # the watchdog sends too
            self._commands.send(encode_command(self._mode, motors), zmq.NOBLOCK)

    def _receive(self, timeout_s: float) -> State | None:
        """The newest state, at most every `control_dt`; see `Receiver`."""
        time.sleep(max(0.0, min(self._due_s - time.monotonic(), timeout_s)))
        if not self._states.poll(round(timeout_s * 1000)):
            return None
        self._due_s = time.monotonic() + self.config.control_dt
        try:
            return decode_state(self._states.recv())
        except WireError as error:
            if self._refusal is None:
                log.warning("%s: %s; more of this kind is not told", self, error.what)
            self._refusal = error
            return None

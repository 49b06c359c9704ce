"""Two arms as one robot or one teleoperator; every key has the prefix of its arm."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from lerobot.core.cameras import CameraSet
from lerobot.core.config.base import CameraConfig
from lerobot.core.device import DeviceBase
from lerobot.core.errors import DeviceError, FeatureMismatchError
from lerobot.core.prompts import Prompter
from lerobot.core.protocols.ability import MotorHealth
from lerobot.core.types import Action, FeatureSpec, Observation
from lerobot.motors.arms.config import FollowerConfig, FollowerPairConfig, LeaderConfig, LeaderPairConfig
from lerobot.motors.arms.follower import CAMERA_TEST_S, FollowerArm
from lerobot.motors.arms.leader import LeaderArm
from lerobot.motors.arms.servo_arm import ServoArm, ServoFollower, ServoLeader
from lerobot.motors.finding import Finding


class ArmOfTwo(Protocol):
    """What a pair needs of an arm, on whichever bus."""

    prompter: Prompter

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """See `Robot.action_features` and `Teleoperator.action_features`."""
        ...

    def require_usable_file(self) -> None:
        """See `Arm.require_usable_file`."""
        ...

    def connect(self, calibrate: bool = True) -> None:
        """See `Calibratable.connect`."""
        ...

    def disconnect(self) -> None:
        """See `Device.disconnect`."""
        ...

    @property
    def is_calibrated(self) -> bool:
        """See `Calibratable.is_calibrated`."""
        ...

    @property
    def calibration_asks(self) -> bool:
        """See `AsksToCalibrate`."""
        ...

    def calibrate(self) -> None:
        """See `Calibratable.calibrate`."""
        ...

    def configure(self) -> None:
        """See `Calibratable.configure`."""
        ...

    def diagnose(self) -> list[Finding]:
        """See `Arm.diagnose`."""
        ...


class ReaderOfTwo(ArmOfTwo, Protocol):
    """What a pair of leaders needs of an arm that is only read."""

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`."""
        ...


OneArm = TypeVar("OneArm", bound=ArmOfTwo)
OneReader = TypeVar("OneReader", bound=ReaderOfTwo)
OneFollower = TypeVar("OneFollower", bound=FollowerArm)
OneLeader = TypeVar("OneLeader", bound=LeaderArm)


class Pair(DeviceBase, Generic[OneArm]):
    """What two arms have in common, whichever kind they are.

    The arms' calibrations are those of single arms called `<id>_left` and `<id>_right`.

    Args:
        id: name of the pair.
        left: the left arm.
        right: the right arm.
        prompter: who answers questions; the terminal if None.

    Attributes:
        arms: the arms by prefix.
    """

    def __init__(self, id: str | None, left: OneArm, right: OneArm, prompter: Prompter | None) -> None:  # noqa: A002
        super().__init__(id, prompter=prompter)
        self.arms: dict[str, OneArm] = {"left_": left, "right_": right}

    def connect(self, calibrate: bool = True) -> None:
        """See `Calibratable.connect`."""
        with self._connecting():
            if calibrate:
                for arm in self.arms.values():
                    arm.require_usable_file()
            for arm in self.arms.values():
                arm.connect(calibrate=calibrate)
            self._start()

    def _start(self) -> None:
        """Connect what belongs to no arm."""

    @property
    def is_calibrated(self) -> bool:
        """Whether both arms are."""
        return all(arm.is_calibrated for arm in self.arms.values())

    @property
    def calibration_asks(self) -> bool:
        """See `AsksToCalibrate`."""
        return any(arm.calibration_asks for arm in self.arms.values())

    def calibrate(self) -> None:
        """Calibrate the left arm, then the right one."""
        for arm in self.arms.values():
            arm.prompter = self.prompter
            arm.calibrate()

    def diagnose(self) -> list[Finding]:
        """What is wrong with the unconnected arms, the left one first; motors have the prefix of their arm."""
        return [_of_arm(prefix, finding) for prefix, arm in self.arms.items() for finding in arm.diagnose()]

    def _of_both(self, features: Callable[[OneArm], dict[str, FeatureSpec]]) -> dict[str, FeatureSpec]:
        """Features of both arms, with their prefixes."""
        return {f"{prefix}{key}": spec for prefix, arm in self.arms.items() for key, spec in features(arm).items()}

    def _close(self) -> None:
        with ExitStack() as stack:
            for arm in self.arms.values():
                stack.callback(arm.disconnect)


def _of_arm(prefix: str, finding: Finding) -> Finding:
    """Say which arm a finding is about."""
    if finding.motor:
        return replace(finding, motor=f"{prefix}{finding.motor}")
    return replace(finding, what=f"{prefix.removesuffix('_')} arm: {finding.what}")


def split(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Distribute values to the arms by prefix.

    Raises:
        FeatureMismatchError: a key has the prefix of no arm.
    """
    parts: dict[str, dict[str, Any]] = {"left_": {}, "right_": {}}
    for key, value in values.items():
        prefix = next((prefix for prefix in parts if key.startswith(prefix)), None)
        if prefix is None:
            raise FeatureMismatchError(f"{key!r} belongs to no arm.", keys=[key], expected="left_... or right_...")
        parts[prefix][key.removeprefix(prefix)] = value
    return parts


class FollowerPair(Pair[OneFollower]):
    """Two follower arms.

    Args:
        config: see `FollowerPairConfig`.
        prompter: who answers questions; the terminal if None.

    Attributes:
        cameras: all cameras, by the names their images have in an observation.
    """

    arm_class: Callable[..., OneFollower]
    """Makes an arm from its configuration and a prompter; the class of the arms."""

    arm_config: ClassVar[type[FollowerConfig]]
    """Configuration of an arm."""

    def __init__(self, config: FollowerPairConfig[Any], *, prompter: Prompter | None = None) -> None:
        cameras: dict[str, CameraConfig] = {}
        arms: list[OneFollower] = []
        for side, arm in (("left", config.left_arm_config), ("right", config.right_arm_config)):
            cameras |= {f"{side}_{name}": camera for name, camera in arm.cameras.items()}
            # The pair has all cameras, so that they are opened and measured together.
            fields = {**dict(arm), "cameras": {}, "id": f"{config.id}_{side}"}
            one = self.arm_config(**fields, calibration_dir=config.calibration_dir)
            arms.append(self.arm_class(one, prompter=prompter))
        left, right = arms
        super().__init__(config.id, left, right, prompter)
        self.config = config
        self.cameras = CameraSet({**cameras, **config.cameras})

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint targets, `left_<joint>.pos` and `right_<joint>.pos`."""
        return self._of_both(lambda arm: arm.action_features)

    @property
    def observation_features(self) -> dict[str, FeatureSpec]:
        """Joint positions of both arms, and one image per camera."""
        return {**self._of_both(lambda arm: arm.observation_features), **self.cameras.features}

    @property
    def safe_state(self) -> str:
        """The arms' safe states."""
        left, right = (arm.safe_state for arm in self.arms.values())
        return left if left == right else f"left arm {left}, right arm {right}"

    def _start(self) -> None:
        self.cameras.connect(measure_s=CAMERA_TEST_S)

    def configure(self) -> None:
        """See `Calibratable.configure`."""
        for arm in self.arms.values():
            arm.configure()

    def get_observation(self) -> Observation:
        """See `Robot.get_observation`."""
        self.require_connected()
        observation = Observation()
        for prefix, arm in self.arms.items():
            part = arm.get_observation()
            observation.update({f"{prefix}{key}": value for key, value in part.items()})
            observation.stamps.update({f"{prefix}{key}": stamp for key, stamp in part.stamps.items()})
        self.cameras.read_into(observation)
        return observation

    def send_action(self, action: Action) -> Action:
        """See `Robot.send_action`."""
        self.require_connected()
        parts = split(action)
        return {
            f"{prefix}{key}": value
            for prefix, arm in self.arms.items()
            for key, value in arm.send_action(parts[prefix]).items()
        }

    def enter_safe_state(self) -> None:
        """Bring both arms to their safe state, the second also if the first cannot be reached."""
        failed: list[DeviceError] = []
        for arm in self.arms.values():
            try:
                arm.enter_safe_state()
            except DeviceError as error:
                failed.append(error)
        if failed:
            raise failed[0]

    def _close(self) -> None:
        try:
            super()._close()
        finally:
            self.cameras.disconnect()


class ReaderPair(Pair[OneReader]):
    """Two leader arms that are moved by hand and read; nothing of them can be moved.

    Args:
        config: see `LeaderPairConfig`.
        prompter: who answers questions; the terminal if None.
    """

    arm_class: Callable[..., OneReader]
    """Makes an arm from its configuration and a prompter; the class of the arms."""

    arm_config: ClassVar[type[LeaderConfig]]
    """Configuration of an arm."""

    def __init__(self, config: LeaderPairConfig[Any], *, prompter: Prompter | None = None) -> None:
        left, right = (
            self.arm_class(
                self.arm_config(**dict(arm), id=f"{config.id}_{side}", calibration_dir=config.calibration_dir),
                prompter=prompter,
            )
            for side, arm in (("left", config.left_arm_config), ("right", config.right_arm_config))
        )
        super().__init__(config.id, left, right, prompter)
        self.config = config

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint positions, `left_<joint>.pos` and `right_<joint>.pos`."""
        return self._of_both(lambda arm: arm.action_features)

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """There is nothing to feel."""
        return {}

    def configure(self) -> None:
        """See `Calibratable.configure`."""
        for arm in self.arms.values():
            arm.configure()

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`."""
        self.require_connected()
        return {f"{prefix}{key}": value for prefix, arm in self.arms.items() for key, value in arm.get_action().items()}

    def send_feedback(self, feedback: dict[str, Any]) -> None:  # noqa: ARG002 - part of the protocol
        """See `Teleoperator.send_feedback`; nothing is felt."""
        self.require_connected()


class LeaderPair(ReaderPair[OneLeader]):
    """Two leader arms that can show where their followers are; see `ReaderPair`."""

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """Joint positions the arms move to while their torque is on."""
        return self._of_both(lambda arm: arm.feedback_features)

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """See `Teleoperator.send_feedback`."""
        self.require_connected()
        for prefix, part in split(feedback).items():
            self.arms[prefix].send_feedback(part)

    def enable_torque(self) -> None:
        """Hold the pose of both arms, so that feedback moves them."""
        for arm in self.arms.values():
            arm.enable_torque()

    def disable_torque(self) -> None:
        """Let both arms be moved by hand."""
        for arm in self.arms.values():
            arm.disable_torque()


class ServoFollowerPair(FollowerPair[ServoFollower]):
    """Two follower arms of servos, which report their health; see `ReportsHealth`."""

    @property
    def monitored_motors(self) -> Sequence[str]:
        """See `ReportsHealth.monitored_motors`; with the prefix of their arm."""
        return [f"{prefix}{motor}" for prefix, arm in self.arms.items() for motor in arm.monitored_motors]

    def motor_health(self, motor: str, /) -> MotorHealth:
        """See `ReportsHealth.motor_health`."""
        prefix, arm = next(each for each in self.arms.items() if motor.startswith(each[0]))
        return arm.motor_health(motor.removeprefix(prefix))

    def setup_motors(self) -> None:
        """Give the motors of the left arm their ids, then those of the right one."""
        _set_up(self.arms, self.prompter)


class ServoLeaderPair(LeaderPair[ServoLeader]):
    """Two leader arms of servos."""

    def setup_motors(self) -> None:
        """Give the motors of the left arm their ids, then those of the right one."""
        _set_up(self.arms, self.prompter)


def _set_up(arms: Mapping[str, ServoArm], prompter: Prompter) -> None:
    for prefix, arm in arms.items():
        arm.prompter = prompter
        prompter.say(f"Now the {prefix.removesuffix('_')} arm.")
        arm.setup_motors()

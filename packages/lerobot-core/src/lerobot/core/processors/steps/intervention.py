"""A person beside the policy: what they command, and what follows from it."""

from typing import Any

from lerobot.core.errors import DeviceError, FeatureMismatchError
from lerobot.core.events import TeleopEvents
from lerobot.core.processors.arrays import is_array, vector_like
from lerobot.core.processors.config import AddTeleopActionConfig, AddTeleopEventsConfig
from lerobot.core.processors.step import ComplementaryDataProcessorStep, InfoProcessorStep, ProcessorStep
from lerobot.core.processors.transition import EnvTransition
from lerobot.core.protocols.teleoperator import HasTeleopEvents, Teleoperator

TELEOP_ACTION = "teleop_action"


class AddTeleopActionAsComplementaryDataStep(ComplementaryDataProcessorStep):
    """Reads the teleoperator and writes its action under `teleop_action`.

    Args:
        config: nothing to configure.
        teleop_device: a connected teleoperator.
    """

    def __init__(self, config: AddTeleopActionConfig, *, teleop_device: Teleoperator) -> None:
        super().__init__(config)
        self._device = teleop_device

    def complementary_data(self, complementary_data: dict[str, Any]) -> dict[str, Any]:
        """Add."""
        return complementary_data | {TELEOP_ACTION: self._device.get_action()}


class AddTeleopEventsAsInfoStep(InfoProcessorStep):
    """Reads the teleoperator's buttons and writes its events into the info.

    Args:
        config: nothing to configure.
        teleop_device: a connected teleoperator that has events.

    Raises:
        DeviceError: the teleoperator has none.
    """

    def __init__(self, config: AddTeleopEventsConfig, *, teleop_device: HasTeleopEvents) -> None:
        super().__init__(config)
        if not isinstance(teleop_device, HasTeleopEvents):
            raise DeviceError(
                f"teleoperator {teleop_device} has no events",
                device=str(teleop_device),
                expected="a method get_teleop_events()",
                hint="Use a teleoperator with buttons, such as a gamepad.",
            )
        self._device = teleop_device

    def info(self, info: dict[str, Any]) -> dict[str, Any]:
        """Add."""
        return info | self._device.get_teleop_events()


class InterventionActionProcessorStep(ProcessorStep):
    """Replaces the policy's action while a person intervenes, and turns their events into reward and end.

    Reward is 1 on success, else 0; the episode is done when the person ends it, or on success if configured. The
    action that counts is stored under `teleop_action`. The events come from `info` (`add_teleop_action_as_info`), the
    person's action from the complementary data (`add_teleop_action_as_complementary_data`).
    """

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Decide."""
        action = transition.get("action")
        if not is_array(action):
            raise FeatureMismatchError(
                f"the action is a {type(action).__name__}", keys=["action"], expected="a policy action: an array"
            )
        info, data = transition.get("info") or {}, transition.get("complementary_data") or {}
        intervenes = info.get(TeleopEvents.IS_INTERVENTION, False)
        success = info.get(TeleopEvents.SUCCESS, False)
        if intervenes:
            action = self._of_the_person(data.get(TELEOP_ACTION), action)
        events = {
            TeleopEvents.IS_INTERVENTION: intervenes,
            TeleopEvents.RERECORD_EPISODE: info.get(TeleopEvents.RERECORD_EPISODE, False),
            TeleopEvents.SUCCESS: success,
        }
        ended = bool(info.get(TeleopEvents.TERMINATE_EPISODE, False))
        return {
            **transition,
            "action": action,
            "reward": float(success),
            "done": ended or (self.config.terminate_on_success and bool(success)),
            "info": info | events,
            "complementary_data": data | {TELEOP_ACTION: action},
        }

    def _of_the_person(self, commanded: Any, policy_action: Any) -> Any:
        if commanded is None:
            raise FeatureMismatchError(
                "a person intervenes, but their action is unknown",
                keys=[TELEOP_ACTION],
                expected=f"{TELEOP_ACTION!r} in the complementary data",
                hint="Put add_teleop_action_as_complementary_data before intervention_action_processor.",
            )
        if not isinstance(commanded, dict):
            return vector_like([float(value) for value in commanded], policy_action)
        values = [float(commanded.get(f"delta_{axis}", 0.0)) for axis in "xyz"]
        if self.config.use_gripper:
            # 1 is "stay" for a gripper commanded by classes.
            values.append(float(commanded.get("gripper", 1.0)))
        return vector_like(values, policy_action)

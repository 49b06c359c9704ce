"""The person who may take over: their action, and what they say about the episode."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.clock import Clock, MonotonicClock
from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.core.events import TeleopEvents
from lerobot.core.protocols import HasTeleopEvents, Teleoperator
from lerobot.gym_hil.actions import CLASSES, STAY


@dataclass(frozen=True, slots=True)
class Said:
    """What a person did and said in one step.

    Attributes:
        action: theirs, as the environment has it; None while the policy acts.
        success: they called the task solved.
        ended: they ended the episode.
        rerecord: they want to play it again.
    """

    action: NDArray[np.float32] | None = None
    success: bool = False
    ended: bool = False
    rerecord: bool = False


class Person:
    """A teleoperator that overrules the policy while its owner wants it to.

    With somebody at the arm a step takes the time it takes on a real one.

    Args:
        teleop: gives deltas and events; connected at the first episode.
        axes: keys of its action for x, y, z; '-' before one changes its sign.
        period: of a step, in s.
        use_gripper: whether an action has a gripper.
        clock: what time is measured with.

    Raises:
        LeRobotError: the teleoperator has no events, or lacks a key.
    """

    def __init__(
        self,
        teleop: Teleoperator,
        axes: tuple[str, str, str],
        *,
        period: float,
        use_gripper: bool,
        clock: Clock | None = None,
    ) -> None:
        if not isinstance(teleop, HasTeleopEvents):
            raise LeRobotError(
                f"nobody can take over with the teleoperator {teleop}",
                expected="one with events, such as gamepad or keyboard_ee",
            )
        self._teleop: Teleoperator = teleop
        self._buttons: HasTeleopEvents = teleop
        self._axes = [(axis.removeprefix("-"), -1.0 if axis.startswith("-") else 1.0) for axis in axes]
        known = teleop.action_features
        if missing := [key for key, _ in self._axes if key not in known]:
            raise FeatureMismatchError(
                f"the teleoperator has no {' and no '.join(missing)}",
                keys=missing,
                expected=f"teleop_axes among {', '.join(known)}",
            )
        self._period = period
        self._gripper = use_gripper
        self._clock = clock or MonotonicClock()
        self._next = 0.0

    def start(self) -> None:
        """Begin an episode: what was pressed before it counts for nothing."""
        if not self._teleop.is_connected:
            self._teleop.connect()
        self._buttons.get_teleop_events()
        self._next = self._clock.now()

    def read(self) -> Said:
        """Wait for the step's time, and see what the person does."""
        self._next = max(self._next + self._period, self._clock.now())
        self._clock.sleep_until(self._next)
        # The action first: its buttons may be those that the events ask about.
        action, events = self._teleop.get_action(), self._buttons.get_teleop_events()
        success = events.get(TeleopEvents.SUCCESS, False)
        failed = events.get(TeleopEvents.FAILURE, False) or events.get(TeleopEvents.TERMINATE_EPISODE, False)
        return Said(
            action=self._vector(action) if events.get(TeleopEvents.IS_INTERVENTION, False) else None,
            success=success and not failed,
            ended=success or failed,
            rerecord=events.get(TeleopEvents.RERECORD_EPISODE, False),
        )

    def close(self) -> None:
        """Let go of the teleoperator."""
        if self._teleop.is_connected:
            self._teleop.disconnect()

    def _vector(self, action: dict[str, Any]) -> NDArray[np.float32]:
        values = [sign * float(action[key]) for key, sign in self._axes]
        if self._gripper:
            # Pads and keyboards say 0 to close and 2 to open; this arm's gripper takes them the other way round.
            values.append(sum(CLASSES) - float(action.get("gripper", STAY)))
        return np.array(values, np.float32)

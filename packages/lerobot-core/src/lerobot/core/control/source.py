"""Where commands come from."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from lerobot.core.config.base import ProcessorStepConfig
from lerobot.core.errors import DeviceError, FeatureMismatchError
from lerobot.core.processors import build_step, robot_action_pipeline
from lerobot.core.processors.dataset_features import create_initial_features
from lerobot.core.processors.robot import ActionPipeline
from lerobot.core.protocols.robot import Robot
from lerobot.core.protocols.teleoperator import Teleoperator
from lerobot.core.types import Action, Observation, as_features

MOST_NAMES = 12
"""So many names fit a message."""


class CommandSource(Protocol):
    """Something that commands a robot, once per tick; see `TimedCommandSource` for one that knows when it chose."""

    def next_action(self, observation: Observation, tick: int, /) -> Action | None:
        """Choose the command of this tick.

        Args:
            observation: processed observation of this tick.
            tick: number of the tick, from 0; ticks in which a latched stop held the robot are not counted.

        Returns:
            Targets by key; keys left out hold their last value, an empty dict holds all. None ends the run.
        """
        ...


@runtime_checkable
class TimedCommandSource(CommandSource, Protocol):
    """A source whose commands are older than the call, such as a policy on another computer."""

    command_time_s: float | None
    """Monotonic time at which the command it returned last was made; None for the time of the call."""


class TeleoperatorSource:
    """A person, or a script, at a teleoperator.

    Args:
        teleoperator: connected teleoperator.
        feedback: what to make the operator feel, from each observation; None for nothing.
        to_robot: makes commands of the robot of what the teleoperator commands; None where that is the same.
    """

    def __init__(
        self,
        teleoperator: Teleoperator,
        feedback: Callable[[Observation], dict[str, Any]] | None = None,
        *,
        to_robot: ActionPipeline | None = None,
    ) -> None:
        self.teleoperator = teleoperator
        self.feedback = feedback
        self.to_robot = to_robot

    def next_action(self, observation: Observation, _tick: int, /) -> Action | None:
        """See `CommandSource.next_action`."""
        try:
            if self.feedback is not None:
                self.teleoperator.send_feedback(self.feedback(observation))
            action = self.teleoperator.get_action()
        except DeviceError as error:
            error.tell_role("teleoperator", self.teleoperator)
            raise
        return action if self.to_robot is None else self.to_robot((action, observation))


class SequenceSource:
    """Recorded commands, one per tick; the run ends after the last.

    Args:
        actions: commands in the robot's keys and units; read one at a time.
    """

    def __init__(self, actions: Iterable[Mapping[str, Any]]) -> None:
        self._actions: Iterator[Mapping[str, Any]] = iter(actions)

    def next_action(self, _observation: Observation, _tick: int, /) -> Action | None:
        """See `CommandSource.next_action`."""
        action = next(self._actions, None)
        return None if action is None else dict(action)


class CallableSource:
    """A policy, or any other function from observation to command.

    Args:
        choose: called with the processed observation; returns the command, or None to end the run.
    """

    def __init__(self, choose: Callable[[Observation], Action | None]) -> None:
        self._choose = choose

    def next_action(self, observation: Observation, _tick: int, /) -> Action | None:
        """See `CommandSource.next_action`."""
        return self._choose(observation)


def teleoperation_pipeline(
    steps: Sequence[ProcessorStepConfig], teleoperator: Teleoperator, robot: Robot
) -> ActionPipeline:
    """Build the steps between a teleoperator and a robot, and check that what comes out is what the robot takes.

    Args:
        steps: configurations, in order.
        teleoperator: need not be connected.
        robot: need not be connected.

    Raises:
        FeatureMismatchError: a step cannot work on what it gets, or the robot needs something else; names it.
        ConfigError: a step cannot be built as it is configured.
        PluginError: a step's implementation cannot be imported.
    """
    pipeline = robot_action_pipeline([build_step(step) for step in steps])
    features = create_initial_features(teleoperator.action_features, robot.observation_features)
    require_features(
        pipeline.transform_features(features)["action"],
        robot.action_features,
        giver=f"teleoperator {teleoperator}{' with its processors' if steps else ''}",
        taker=f"robot {robot}",
        remedy="Steps in --processors.teleop turn one into the other.",
    )
    return pipeline


def require_features(
    given: Mapping[str, Any], needed: Mapping[str, Any], *, giver: str, taker: str, remedy: str = ""
) -> None:
    """Check that one side's features cover another's, by name and unit, before anything moves.

    Args:
        given: features of the giver, such as `Teleoperator.action_features`.
        needed: features of the taker, such as `Robot.action_features`.
        giver: the giver in words, for the message.
        taker: the taker in words.
        remedy: what helps where keys are missing, for the message.

    Raises:
        FeatureMismatchError: keys are missing, or have another unit; names them.
    """
    offered, wanted = as_features(given), as_features(needed)
    missing = [key for key in wanted if key not in offered]
    if missing:
        raise FeatureMismatchError(
            f"{giver} does not command {', '.join(missing)}, which {taker} needs.",
            keys=missing,
            expected=", ".join(wanted),
            hint=f"{giver} commands {_some(list(offered))}. {remedy}".rstrip(),
        )
    other = [
        key
        for key, spec in wanted.items()
        if spec.unit is not None and offered[key].unit is not None and spec.unit != offered[key].unit
    ]
    if other:
        pairs = ", ".join(f"{key} in {offered[key].unit} (needs {wanted[key].unit})" for key in other)
        raise FeatureMismatchError(f"{giver} and {taker} do not use the same units: {pairs}.", keys=other)


def _some(names: list[str]) -> str:
    """Names in a sentence, however many there are."""
    more = len(names) - MOST_NAMES
    return f"{', '.join(names[:MOST_NAMES])} and {more} more" if more > 0 else ", ".join(names) or "nothing"

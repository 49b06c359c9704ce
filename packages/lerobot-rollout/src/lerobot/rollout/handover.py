"""Who commands a robot, and how one hands it over to the other without a jerk."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from lerobot.core.control import TeleoperatorSource
from lerobot.core.processors.robot import ActionPipeline
from lerobot.core.protocols.ability import MovesItself
from lerobot.core.protocols.teleoperator import Teleoperator
from lerobot.core.safety import Limit
from lerobot.core.tick import Tick
from lerobot.core.types import Action, Observation
from lerobot.rollout.interpolation import Forgetful
from lerobot.rollout.source import way_back

HANDOVER_S = 1.0
"""Seconds in which the robot slides from who acted to who acts."""


class Commander(StrEnum):
    """Who commands; the values are what is stored."""

    POLICY = "policy"
    NOBODY = "nobody"
    """The robot holds its pose."""
    PERSON = "person"


class Slide:
    """The way from where a robot is to what somebody commands, in equal shares of a number of ticks.

    Args:
        ticks: after so many, commands are followed as they are.
    """

    def __init__(self, ticks: int) -> None:
        self._ticks = ticks
        self._start: Action = {}
        self._done = ticks

    def begin(self, start: Action) -> None:
        """Begin at a pose."""
        self._start, self._done = start, 0

    def __call__(self, action: Action) -> Action:
        """Give the command of this tick on the way to an action."""
        if self._done >= self._ticks:
            return action
        self._done += 1
        share, start = self._done / self._ticks, {**action, **self._start}
        return {key: start[key] * (1 - share) + value * share for key, value in action.items()}


class GuidedLeader:
    """A leader that can move: it is brought to the robot's pose and held there until a person takes over.

    Args:
        leader: the teleoperator, as something that moves.
        ticks: in which it is there.
        measure: gives its own pose.
    """

    def __init__(self, leader: MovesItself, ticks: int, measure: Callable[[], Action]) -> None:
        self._leader = leader
        self._measure = measure
        self._slide = Slide(ticks)

    def begin(self) -> None:
        """Hold it where it is."""
        self._slide.begin(self._known(self._measure()))
        self._leader.enable_torque()

    def follow(self, pose: Action) -> None:
        """Bring it one tick nearer to the robot's pose."""
        self._leader.send_feedback(self._slide(self._known(pose)))

    def release(self) -> None:
        """Give it to the person."""
        self._leader.disable_torque()

    def _known(self, action: Action) -> Action:
        """What of a command the leader can be brought to."""
        known = self._leader.feedback_features
        return {key: value for key, value in action.items() if key in known}


def guided(teleoperator: Teleoperator, ticks: int, to_robot: ActionPipeline | None) -> GuidedLeader | None:
    """Give the leader if it can move, shall, and has the robot's joints."""
    if not ticks or to_robot is not None or not isinstance(teleoperator, MovesItself):
        return None
    return GuidedLeader(teleoperator, ticks, teleoperator.get_action)


class TakingOver:
    """A person's teleoperator that takes a robot over at the first tick of a run of the loop; see `CommandSource`.

    A leader that can move is brought to the robot, which holds meanwhile, and is let go of then; to any other leader
    the robot slides.

    Args:
        teleoperator: the person's; connected.
        limits: of the robot's safety gate; see `way_back`.
        ticks: of the hand-over; 0 for none.
        moves_leader: bring a leader that can move to the robot.
        to_robot: steps between teleoperator and robot; None for none.
    """

    def __init__(
        self,
        teleoperator: Teleoperator,
        limits: Mapping[str, Limit],
        ticks: int,
        *,
        moves_leader: bool,
        to_robot: ActionPipeline | None = None,
    ) -> None:
        self._source = TeleoperatorSource(teleoperator, to_robot=to_robot)
        self._limits = limits
        self._ticks = ticks
        self._leader = guided(teleoperator, ticks, to_robot) if moves_leader else None
        self._slide = Slide(ticks)
        self._pose: Action = {}
        self._is_led = False

    def next_action(self, observation: Observation, tick: int, /) -> Action | None:
        """See `CommandSource.next_action`."""
        if tick == 0:
            self._begin(observation)
        if self._leader is not None and self._is_led and tick < self._ticks:
            self._leader.follow(self._pose)
            return dict(self._pose)
        self.release()
        action = self._source.next_action(observation, tick)
        return action if action is None else self._slide(action)

    def release(self) -> None:
        """Let go of a leader that is held; may be called in any state."""
        if self._leader is not None and self._is_led:
            self._leader.release()
        self._is_led = False

    def _begin(self, observation: Observation) -> None:
        (self._pose,) = way_back(self._limits, observation, observation, 1)
        self._slide.begin(self._pose)
        if self._leader is not None:
            self._leader.begin()
            self._is_led = True


class SharedSource:
    """A policy that a person stops, corrects, and lets go on; see `CommandSource`. It is a sink of the loop as well.

    While nobody commands, the robot holds what was sent last. A leader that can move is brought to the robot's pose
    then, and holds it until the person takes over; afterwards it holds again. So both arms stay where they are, and the
    robot slides over what is left between them.

    Args:
        policy: acts; begins without memory whenever it goes on.
        teleoperator: the person's; connected.
        ticks: of a hand-over; 0 for none.
        to_robot: steps between teleoperator and robot; None for none.
    """

    def __init__(
        self, policy: Forgetful, teleoperator: Teleoperator, ticks: int, to_robot: ActionPipeline | None = None
    ) -> None:
        self.commander = Commander.POLICY
        """Who commands now."""
        self._policy = policy
        self._person = TeleoperatorSource(teleoperator, to_robot=to_robot)
        self._leader = guided(teleoperator, ticks, to_robot)
        self._slide = Slide(ticks)
        self._sent: Action = {}

    def pause_or_resume(self) -> None:
        """Stop the policy, or let it go on."""
        if self.commander is Commander.POLICY:
            self._hold()
        elif self.commander is Commander.NOBODY:
            self._policy.reset()
            self._slide.begin(self._sent)
            self.commander = Commander.POLICY

    def correct(self) -> None:
        """Let the person take over while the policy is stopped, or end that."""
        if self.commander is Commander.NOBODY:
            if self._leader is not None:
                self._leader.release()
            self._slide.begin(self._sent)
            self.commander = Commander.PERSON
        elif self.commander is Commander.PERSON:
            self._hold()

    def next_action(self, observation: Observation, tick: int, /) -> Action | None:
        """See `CommandSource.next_action`."""
        if self.commander is Commander.NOBODY:
            if self._leader is not None:
                self._leader.follow(self._sent)
            return dict(self._sent)
        if self.commander is Commander.PERSON:
            action = self._person.next_action(observation, tick)
        else:
            action = self._policy.next_action(observation, tick)
        return action if action is None else self._slide(action)

    def write(self, tick: Tick) -> None:
        """Take note of what was sent; see `Sink.write`."""
        self._sent = dict(tick.sent)

    def _hold(self) -> None:
        self.commander = Commander.NOBODY
        if self._leader is not None:
            self._leader.begin()

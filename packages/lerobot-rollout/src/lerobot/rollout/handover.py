"""Who commands a robot, and how one hands it over to the other without a jerk."""

from enum import StrEnum

from lerobot.core.protocols.ability import MovesItself
from lerobot.core.protocols.teleoperator import Teleoperator
from lerobot.core.tick import Tick
from lerobot.core.types import Action, Observation
from lerobot.rollout.interpolation import Forgetful

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


class SharedSource:
    """A policy that a person stops, corrects, and lets go on; see `CommandSource`. It is a sink of the loop as well.

    While nobody commands, the robot holds what was sent last. A leader that can move is brought to the robot's pose
    then, and holds it until the person takes over; afterwards it holds again. So both arms stay where they are, and the
    robot slides over what is left between them.

    Args:
        policy: acts; begins without memory whenever it goes on.
        teleoperator: the person's; connected.
        ticks: of a hand-over; 0 for none.
    """

    def __init__(self, policy: Forgetful, teleoperator: Teleoperator, ticks: int) -> None:
        self.commander = Commander.POLICY
        """Who commands now."""
        self._policy = policy
        self._teleoperator = teleoperator
        self._leader: MovesItself | None = None
        if ticks and isinstance(teleoperator, MovesItself):
            self._leader = teleoperator
        self._slide = Slide(ticks)
        self._lead = Slide(ticks)
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
                self._leader.disable_torque()
            self._slide.begin(self._sent)
            self.commander = Commander.PERSON
        elif self.commander is Commander.PERSON:
            self._hold()

    def next_action(self, observation: Observation, tick: int, /) -> Action | None:
        """See `CommandSource.next_action`."""
        if self.commander is Commander.NOBODY:
            if self._leader is not None:
                self._leader.send_feedback(self._lead(self._pose(self._sent)))
            return dict(self._sent)
        if self.commander is Commander.PERSON:
            return self._slide(self._teleoperator.get_action())
        action = self._policy.next_action(observation, tick)
        return action if action is None else self._slide(action)

    def write(self, tick: Tick) -> None:
        """Take note of what was sent; see `Sink.write`."""
        self._sent = dict(tick.sent)

    def _hold(self) -> None:
        self.commander = Commander.NOBODY
        if self._leader is not None:
            # From where it is to where the robot is.
            self._lead.begin(self._pose(self._teleoperator.get_action()))
            self._leader.enable_torque()

    def _pose(self, action: Action) -> Action:
        """What of a command the leader can be brought to."""
        known = {} if self._leader is None else self._leader.feedback_features
        return {key: value for key, value in action.items() if key in known}

"""Who acts in an episode: the policy, and a person who takes over whenever they want to."""

from collections.abc import Callable

from lerobot.core.control import TeleoperatorSource
from lerobot.core.events import TeleopEvents
from lerobot.core.protocols.teleoperator import HasTeleopEvents, Teleoperator
from lerobot.core.types import Action, Observation
from lerobot.rollout.handover import Slide
from lerobot.rollout.interpolation import Forgetful


class ShareableSource:
    """A policy that a person corrects; see `CommandSource`.

    A teleoperator with buttons says itself when the person acts (`is_intervention`); any other, such as a leader arm,
    is switched by `switched`, and the robot slides to it. When the person lets go, the policy begins anew.

    Args:
        policy: acts.
        teleoperator: the person's; connected. None if nobody corrects.
        switched: whether the person asked since the last call to take over or to let go.
        ticks: in which the robot slides to a teleoperator without buttons.
    """

    def __init__(
        self, policy: Forgetful, teleoperator: Teleoperator | None, switched: Callable[[], bool], ticks: int = 0
    ) -> None:
        self.corrects = False
        """Whether the person gave the newest command."""
        self.events: dict[str, bool] = {}
        """What the teleoperator's buttons say since the episode began or somebody took note; see `TeleopEvents`."""
        self._policy = policy
        self._person = None if teleoperator is None else TeleoperatorSource(teleoperator)
        self._buttons: HasTeleopEvents | None = teleoperator if isinstance(teleoperator, HasTeleopEvents) else None
        self._switched = switched
        self._is_on = False
        self._slide = Slide(ticks)
        self.chosen: Action = {}
        """The newest command, before anything was made of it."""

    def reset(self) -> None:
        """Begin an episode, in which the policy acts first."""
        self._policy.reset()
        self.corrects = self._is_on = False
        self.events = {}

    def next_action(self, observation: Observation, tick: int, /) -> Action | None:
        """See `CommandSource.next_action`."""
        before, action = self.corrects, None
        if self._person is not None:
            # Asked in every tick: buttons are those of the latest action, and a script keeps its time.
            action = self._person.next_action(observation, tick)
            self.corrects = self._wants()
        if self.corrects and action is not None:
            if not before and self._buttons is None:
                self._slide.begin(self.chosen)
            chosen: Action | None = action if self._buttons is not None else self._slide(action)
        else:
            if before:
                self._policy.reset()
            chosen = self._policy.next_action(observation, tick)
        self.chosen = dict(chosen or {})
        return chosen

    def _wants(self) -> bool:
        if self._switched():
            self._is_on = not self._is_on
        if self._buttons is None:
            return self._is_on
        events = self._buttons.get_teleop_events()
        self.events = {name: active or self.events.get(name, False) for name, active in events.items()}
        return self._is_on or bool(events.get(TeleopEvents.IS_INTERVENTION.value))

    def said(self) -> TeleopEvents | None:
        """Take note of what the buttons say of the episode; None for nothing."""
        found = next(
            (
                event
                for event in (TeleopEvents.SUCCESS, TeleopEvents.FAILURE, TeleopEvents.TERMINATE_EPISODE)
                if self.events.get(event.value)
            ),
            None,
        )
        self.events = {}
        return found

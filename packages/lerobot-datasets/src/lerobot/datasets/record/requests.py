"""What a person may ask for while recording, and who collects it."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, Protocol

from lerobot.core.events import TeleopEvents
from lerobot.core.protocols.robot import HasReward
from lerobot.core.protocols.teleoperator import HasTeleopEvents


class Request(StrEnum):
    """One wish of the person who records; the values are the words of the control file."""

    NEXT = "next"
    """End the episode, or the reset, now."""
    SUCCESS = "success"
    """End the episode as a success."""
    FAILURE = "failure"
    """End the episode as a failure."""
    REDO = "redo"
    """Drop the episode, or during a reset the one before, and record it again."""
    STOP = "stop"
    """Save the episode and end the recording."""


class RequestSource(Protocol):
    """Keyboard, control file: something that passes on what a person wants."""

    def poll(self) -> list[Request]:
        """Requests since the last call, oldest first; never waits."""
        ...


class Requests:
    """Collects requests from every source, once per tick.

    Args:
        sources: where they come from.
    """

    def __init__(self, sources: Iterable[RequestSource]) -> None:
        self._sources = tuple(sources)

    def poll(self) -> Request | None:
        """The request of this moment, None if there is none; `stop` goes before others."""
        found = [request for source in self._sources for request in source.poll()]
        return Request.STOP if Request.STOP in found else found[-1] if found else None


def device_requests(teleoperator: object, robot: object) -> Callable[[], Request | None]:
    """Read what the devices say of an episode: a person at the teleoperator first, then the robot's world.

    Args:
        teleoperator: a connected teleoperator; None if there is none.
        robot: a connected robot.
    """
    person, world = teleoperator_requests(teleoperator), robot_requests(robot)
    return lambda: person() or world()


def teleoperator_requests(teleoperator: object) -> Callable[[], Request | None]:
    """Read the buttons of a teleoperator as requests; one without buttons never has any.

    Args:
        teleoperator: a connected teleoperator; None if there is none.
    """
    if not isinstance(teleoperator, HasTeleopEvents):
        return lambda: None
    meanings = (
        (TeleopEvents.RERECORD_EPISODE, Request.REDO),
        (TeleopEvents.SUCCESS, Request.SUCCESS),
        (TeleopEvents.FAILURE, Request.FAILURE),
        (TeleopEvents.TERMINATE_EPISODE, Request.NEXT),
    )

    def read() -> Request | None:
        events: dict[Any, bool] = dict(teleoperator.get_teleop_events())
        return next((request for event, request in meanings if events.get(event.value)), None)

    return read


def robot_requests(robot: object) -> Callable[[], Request | None]:
    """Read the end of an episode off a robot that judges it; another never ends one.

    Args:
        robot: a connected robot.
    """
    if not isinstance(robot, HasReward):
        return lambda: None

    def read() -> Request | None:
        result = robot.step_result
        return (Request.SUCCESS if result.success else Request.FAILURE) if result.done else None

    return read

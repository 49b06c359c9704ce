"""What a person may say while a policy is evaluated on a robot, and with which keys. Light."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from lerobot.core.errors import DeviceConnectionError, LeRobotError
from lerobot.core.terminal import terminal_keys
from lerobot.envs.commands.eval import EvalPipelineConfig


class Wish(StrEnum):
    """The words of the control file."""

    SUCCESS = "success"
    """The task is solved."""
    FAILURE = "failure"
    """It is not."""
    UNKNOWN = "unknown"
    """Nobody can tell."""
    NEXT = "next"
    """End the episode, or the reset, now."""
    REDO = "redo"
    """Play the episode again, or during a reset the one before."""
    STOP = "stop"
    """End the evaluation; an episode in progress is not counted."""


VERDICTS = frozenset({Wish.SUCCESS, Wish.FAILURE, Wish.UNKNOWN})
"""What an episode is judged to be."""

KEYS: Mapping[str, Wish] = MappingProxyType(
    {
        "s": Wish.SUCCESS,
        "f": Wish.FAILURE,
        "u": Wish.UNKNOWN,
        "right": Wish.NEXT,
        "n": Wish.NEXT,
        "left": Wish.REDO,
        "r": Wish.REDO,
        "esc": Wish.STOP,
        "q": Wish.STOP,
    }
)


def require_judge(config: EvalPipelineConfig) -> None:
    """Check that somebody can say how an episode on a robot went.

    Raises:
        LeRobotError: nobody can.
    """
    if config.robot is None or config.detector is not None or config.control_file is not None:
        return
    try:
        terminal_keys.listen("the evaluation", KEYS).close()
    except DeviceConnectionError as error:
        raise LeRobotError(
            f"nobody can say whether an episode succeeds: {error.what}",
            expected="a terminal to press s or f in, --control_file=PATH, or --detector.type=NAME",
        ) from error

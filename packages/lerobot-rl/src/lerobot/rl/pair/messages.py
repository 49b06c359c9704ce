"""What actor and learner say to each other. The actor asks, the learner answers; every question may be asked again.

A question has a `number`, and its answer the same. The actor asks again where no answer comes in time, so that lost
messages cost time alone. Rows are known by their episode's id and their place in it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from lerobot.core.types import Features
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.handshake import OURS, Description
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.rl.transition import Episode, Frame, Transition

KIND = "learner"
ASK, ROWS, FETCH, ANSWER = "ask", "rows", "fetch", "answer"
NUMBER = "number"
PART_BYTES = 4 * 2**20
"""Size of the parts in which files and rows travel."""
MOST_ROWS = 100_000
"""Longest episode that is taken in."""


def description(policy: PreTrainedPolicy, observation: Features, action: Features, fps: float) -> Description:
    """Say what both ends must agree on: what is seen and done, how often, and the form of every weight.

    Args:
        policy: the learner's, or one of the actor's own settings.
        observation: features of the robot.
        action: features of what the policy commands.
        fps: actions per second.
    """
    forms = [[name, list(value.shape), str(value.dtype)] for name, value in sorted(policy.state_dict().items())]
    architecture = hashlib.sha256(json.dumps([policy.name, forms]).encode()).hexdigest()[:32]
    facts = {"policy": policy.name, "architecture": architecture, "fps": float(fps)}
    return Description(KIND, policy.name, {"observation": observation, "action": action}, facts)


def difference(ours: Description, theirs: Description) -> str:
    """Say in what two descriptions differ; empty if in nothing."""
    if ours.digest == theirs.digest:
        return ""
    odd = [name for name in ours.facts if ours.facts[name] != theirs.facts.get(name)]
    odd += [of for of in ours.features if dict(ours.features[of]) != dict(theirs.features.get(of, {}))]
    return ", ".join(odd) or "what they serve"


# --- rows ------------------------------------------------------------------------------------------------------------


def pack_rows(episode: Episode, first: int, encode: PictureEncoder) -> list[dict[str, Any]]:
    """Give the rows of an episode from a place on, as many as fit one message; the last has only an observation.

    Args:
        episode: of the actor.
        first: place of the first of them.
        encode: how pictures travel; raw and png are exact.
    """
    rows: list[dict[str, Any]] = []
    size = 0
    for place in range(first, len(episode) + 1):
        is_last = place == len(episode)
        seen = episode.last if is_last else episode.transitions[place].observation
        row: dict[str, Any] = {"observation": {key: encode(np.asarray(value)) for key, value in seen.items()}}
        if not is_last:
            what = episode.transitions[place]
            row |= {
                "action": np.asarray(what.action, np.float32),
                "reward": float(what.reward),
                "flags": [bool(what.terminal), bool(what.success), bool(what.intervention)],
                "extra": {key: float(value) for key, value in what.extra.items()},
            }
        size += sum(value.nbytes for value in map(np.asarray, seen.values()))
        if rows and size > PART_BYTES:
            break
        rows.append(row)
    return rows


def read_row(row: Any) -> Transition | Frame:
    """Read one row; the last of an episode is a frame.

    Raises:
        WireError: it is none.
    """
    match row:
        case {"observation": dict() as seen, "action": np.ndarray() as action, "reward": float() as reward,
              "flags": [bool() as terminal, bool() as success, bool() as corrected],
              "extra": dict() as extra}:  # fmt: skip
            if action.dtype != np.float32 or action.ndim != 1:
                raise WireError(f"an action is {action.dtype} of {action.shape}", expected="a vector of float32")
            numbers = {str(key): _number(value) for key, value in extra.items()}
            return Transition(_frame(seen), action, reward, terminal, success, corrected, numbers)
        case {"observation": dict() as seen}:
            return _frame(seen)
    raise WireError("a row is no transition")


def _frame(seen: Mapping[Any, Any]) -> Frame:
    if not all(isinstance(key, str) and isinstance(value, np.ndarray) for key, value in seen.items()):
        raise WireError("an observation holds something that is no array")
    return dict(seen)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WireError(f"a number is {str(value)[:40]!r}")
    return float(value)


def integer(message: Mapping[str, Any], key: str) -> int:
    """Read a whole number of a message, 0 or more.

    Raises:
        WireError: it is missing or none.
    """
    value = message.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise WireError(f"a message has {key}={str(value)[:40]!r}", expected="a whole number")
    return value


def text(message: Mapping[str, Any], key: str) -> str:
    """Read a text of a message.

    Raises:
        WireError: it is missing or none.
    """
    value = message.get(key)
    if not isinstance(value, str) or len(value) > 1000:
        raise WireError(f"a message has {key}={str(value)[:40]!r}", expected="a text")
    return value


def answer(question: Mapping[str, Any], **said: Any) -> dict[str, Any]:
    """Answer a question."""
    return {OURS: ANSWER, NUMBER: integer(question, NUMBER), **said}

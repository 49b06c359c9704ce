"""Transitions and the converters at both ends of a pipeline."""

import numpy as np
import pytest

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import converters as c
from lerobot.core.processors.transition import TransitionKey, copied_transition, create_transition, with_keys
from lerobot.core.types import Observation, Stamp

BATCH = {
    "observation.state": np.array([1.0]),
    "observation.images.top": "picture",
    "action": np.array([2.0]),
    "action_is_pad": [False],
    "next.reward": 3.0,
    "next.done": True,
    "next.truncated": True,
    "next.success": True,
    "info": {"a": 1},
    "task": "pick",
    "index": 5,
    "timestamp": 0.1,
    "frame_index": 7,
    "stranger": 8,
}


def test_defaults_are_complete() -> None:
    assert create_transition() == {
        "observation": None,
        "action": None,
        "reward": 0.0,
        "done": False,
        "truncated": False,
        "info": {},
        "complementary_data": {},
    }
    assert [str(key) for key in create_transition()] == list(TransitionKey)


def test_a_batch_keeps_what_the_format_names_and_drops_the_rest() -> None:
    transition = c.batch_to_transition(BATCH)
    assert list(transition["observation"]) == ["observation.state", "observation.images.top"]
    assert (transition["reward"], transition["done"], transition["truncated"]) == (3.0, True, True)
    assert transition["complementary_data"] == {
        "action_is_pad": [False],
        "next.success": True,
        "task": "pick",
        "index": 5,
        "timestamp": 0.1,
    }
    dropped = {"frame_index", "stranger"}
    assert c.transition_to_batch(transition) == {key: value for key, value in BATCH.items() if key not in dropped}


def test_an_empty_batch_gets_the_defaults_both_ways() -> None:
    transition = c.batch_to_transition({})
    assert transition == create_transition()
    assert c.transition_to_batch(transition) == {
        "action": None,
        "next.reward": 0.0,
        "next.done": False,
        "next.truncated": False,
        "info": {},
    }


def test_robot_side_converters() -> None:
    action, observation = {"a.pos": 1.0}, {"a.pos": 2.0}
    both = c.robot_action_observation_to_transition((action, observation))
    assert c.transition_to_robot_action(both) is action
    assert c.transition_to_observation(both) is observation
    assert c.robot_action_to_transition(action)["action"] is action
    assert c.observation_to_transition(observation)["observation"] is observation
    vector = np.zeros(2)
    assert c.transition_to_policy_action(c.policy_action_to_transition(vector)) is vector
    assert c.identity_transition(both) is both


@pytest.mark.parametrize(
    ("convert", "value"),
    [
        (c.batch_to_transition, [1]),
        (c.batch_to_transition, {"action": {"a.pos": 1.0}}),
        (c.robot_action_to_transition, np.zeros(2)),
        (c.observation_to_transition, None),
        (c.policy_action_to_transition, {"a": 1}),
        (c.policy_action_to_transition, np.float32(1)),
        (c.robot_action_observation_to_transition, {"a": 1}),
        (c.robot_action_observation_to_transition, ({}, {}, {})),
        (c.robot_action_observation_to_transition, ([], {})),
        (c.transition_to_robot_action, create_transition()),
        (c.transition_to_policy_action, create_transition(action={})),
        (c.transition_to_observation, create_transition()),
        (c.transition_to_batch, None),
    ],
)
def test_wrong_kinds_are_refused_as_value_errors(convert, value) -> None:
    with pytest.raises(FeatureMismatchError) as raised:
        convert(value)
    assert isinstance(raised.value, ValueError)
    assert raised.value.expected


def test_copies_keep_time_stamps_and_share_arrays() -> None:
    picture = np.zeros((2, 2, 3))
    observation = Observation({"a": 1.0, "top": picture}, {"a": Stamp(1.0)})
    copy = copied_transition(create_transition(observation))["observation"]
    assert copy == observation
    assert copy is not observation
    assert copy.stamps == observation.stamps
    assert copy["top"] is picture
    renamed = with_keys(observation, {"b": "a"})
    assert renamed == {"b": 1.0}
    assert renamed.stamps == {"b": Stamp(1.0)}

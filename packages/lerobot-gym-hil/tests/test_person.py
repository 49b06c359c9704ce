"""A person takes over, ends episodes and says whether they went well."""

from typing import Any

import numpy as np
import pytest

from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.core.teleoperator import PlainTeleoperator
from lerobot.core.types import Action, FeatureSpec
from lerobot.gym_hil.config import GymHilConfig
from lerobot.gym_hil.env import GymHil
from lerobot.gym_hil.making import AXES, KEYBOARD_AXES
from lerobot.gym_hil.person import Person

REST = np.array([0, 0, 0, 1], np.float32)
PUSH = {"delta_x": 1.0, "delta_y": -0.5, "delta_z": 0.25, "gripper": 0.0}


class Handle(PlainTeleoperator):
    """Gives one action, and presses buttons in the steps that are told."""

    name = "handle"

    def __init__(self, action: dict[str, float], events: dict[int, list[str]]) -> None:
        super().__init__(None)
        self.action, self.events, self.steps = action, events, -1

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        return dict.fromkeys(self.action, FeatureSpec())

    def get_action(self) -> Action:
        self.require_connected()
        self.steps += 1
        return dict(self.action)

    def get_teleop_events(self) -> dict[str, bool]:
        self.require_connected()
        return dict.fromkeys(self.events.get(self.steps, []), True)


class Watch:
    """A clock that waits in no time."""

    def __init__(self) -> None:
        self.time = 100.0
        self.waited: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep_until(self, deadline: float) -> None:
        self.waited.append(deadline)
        self.time = max(self.time, deadline)


def play(events: dict[int, list[str]], steps: int, **config: Any) -> tuple[list[Any], Watch]:
    """Steps of a policy that rests, with a person who presses `events` in the step of that number."""
    teleop, watch = Handle(PUSH, events), Watch()
    settings = GymHilConfig(obs_type="environment_state_agent_pos", **config)
    env = GymHil(settings, person=Person(teleop, AXES, period=0.1, use_gripper=settings.use_gripper, clock=watch))
    env.reset(seed=0)
    played = []
    for _ in range(steps):
        played.append(env.step(REST[: env.action_space.shape[0]]))
        if played[-1][2] or played[-1][3]:
            break
    env.close()
    assert not teleop.is_connected
    return played, watch


def test_a_person_overrules_while_they_want_to() -> None:
    played, _ = play({1: ["is_intervention"]}, 3)
    infos = [info for *_, info in played]
    assert [info["is_intervention"] for info in infos] == [False, True, False]
    np.testing.assert_array_equal(infos[0]["teleop_action"], REST)
    # Their "close" closes here, where 2 does.
    np.testing.assert_array_equal(infos[1]["teleop_action"], np.array([1, -0.5, 0.25, 2], np.float32))
    assert [seen["agent_pos"][14] for seen, *_ in played] == [0, 255, 255]
    assert played[2][0]["agent_pos"][15] - played[0][0]["agent_pos"][15] > 0.01
    assert not any("next.success" in info for info in infos)


def test_without_a_gripper_a_person_gives_three_numbers() -> None:
    played, _ = play({0: ["is_intervention"]}, 1, use_gripper=False)
    np.testing.assert_array_equal(played[0][-1]["teleop_action"], np.array([1, -0.5, 0.25], np.float32))


@pytest.mark.parametrize(
    ("pressed", "reward", "success", "rerecord"),
    [
        (["success"], 1.0, True, False),
        (["failure", "terminate_episode"], 0.0, False, False),
        (["terminate_episode"], 0.0, False, False),
        (["terminate_episode", "rerecord_episode"], 0.0, False, True),
        (["success", "failure"], 0.0, False, False),
    ],
)
def test_a_person_ends_the_episode(pressed: list[str], reward: float, success: bool, rerecord: bool) -> None:
    played, _ = play({1: pressed}, 5)
    assert len(played) == 2
    _, found, terminated, truncated, info = played[-1]
    assert (found, terminated, truncated) == (reward, True, False)
    assert (info["is_success"], info["next.success"], info["rerecord_episode"]) == (success, success, rerecord)


def test_a_step_takes_its_time_with_somebody_at_the_arm() -> None:
    _, watch = play({}, 3)
    assert watch.waited == pytest.approx([100.1, 100.2, 100.3])


def test_a_key_may_be_turned_round() -> None:
    """What a keyboard's arrow up gives moves the hand away from the base, as gym-hil has it."""
    teleop = Handle({**PUSH, "delta_x": 0.0, "delta_y": -1.0}, {0: ["is_intervention"]})
    person = Person(teleop, KEYBOARD_AXES, period=0.1, use_gripper=False, clock=Watch())
    person.start()
    said = person.read()
    person.close()
    assert said.action is not None
    np.testing.assert_array_equal(said.action, np.array([1, 0, 0.25], np.float32))


def test_keys_that_are_not_there_are_named() -> None:
    teleop = Handle({"delta_x": 0.0}, {})
    with pytest.raises(FeatureMismatchError, match="no delta_y and no delta_z"):
        Person(teleop, AXES, period=0.1, use_gripper=True)


def test_a_teleoperator_without_buttons_is_refused() -> None:
    class Silent:
        action_features: dict[str, Any] = {}

    with pytest.raises(LeRobotError, match="nobody can take over"):
        Person(Silent(), AXES, period=0.1, use_gripper=True)  # type: ignore[arg-type]

"""Who commands the robot next, and that both arms stay where they are when it changes."""

from collections.abc import Mapping
from typing import Any

from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.joints import RANGES
from lerobot.core.safety import SafetyConfig, derive_limits
from lerobot.core.tick import Tick
from lerobot.core.types import FeatureSpec, Observation
from lerobot.rollout.handover import Commander, SharedSource, TakingOver

KEYS = [f"{joint}.pos" for joint in RANGES]
LIMITS, _ = derive_limits(FakeRobotConfig().build().action_features, SafetyConfig())


class MovingLeader:
    """A leader with motors, at 30."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    feedback_features: Mapping[str, FeatureSpec] = {"a.pos": FeatureSpec(unit="deg")}

    def get_action(self) -> dict[str, float]:
        return {"a.pos": 30.0, "b.pos": 1.0}

    def send_feedback(self, feedback: dict[str, float]) -> None:
        self.told.append(feedback["a.pos"])

    def enable_torque(self) -> None:
        self.told.append("on")

    def disable_torque(self) -> None:
        self.told.append("off")


class Still:
    """A policy that wants everything at 10."""

    resets = 0

    def reset(self) -> None:
        self.resets += 1

    def next_action(self, *_: Any) -> dict[str, float]:
        return {"a.pos": 10.0, "b.pos": 10.0}


def test_a_leader_that_can_move_is_brought_to_the_robot() -> None:
    leader, policy = MovingLeader(), Still()
    source = SharedSource(policy, leader, 2)  # type: ignore[arg-type]
    commands = []

    def tick() -> None:
        action = source.next_action(Observation(), 0)
        commands.append(action)
        source.write(Tick(0, 0, 0.0, 0.0, Observation(), {}, {}, action or {}, 0.0, 0.0))

    tick()
    source.correct()
    assert source.commander is Commander.POLICY, "not before the policy is stopped"
    source.pause_or_resume()
    for _ in range(3):
        tick()
    assert leader.told == ["on", 20.0, 10.0, 10.0]
    source.correct()
    assert leader.told[-1] == "off"
    tick()
    assert commands[-1] == {"a.pos": 20.0, "b.pos": 5.5}
    source.correct()
    assert source.commander is Commander.NOBODY
    source.pause_or_resume()
    assert (source.commander, policy.resets) == (Commander.POLICY, 1)


class Arm:
    """A leader at 0 that can move all joints, and is told where to."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    feedback_features = dict.fromkeys(KEYS, float)

    def get_action(self) -> dict[str, float]:
        return dict.fromkeys(KEYS, 0.0)

    def send_feedback(self, feedback: dict[str, float]) -> None:
        self.told.append(feedback["shoulder_pan.pos"])

    def enable_torque(self) -> None:
        self.told.append("on")

    def disable_torque(self) -> None:
        self.told.append("off")


def commands(source: TakingOver, ticks: int, pose: float = 8.0) -> list[float]:
    observation = Observation(dict.fromkeys(KEYS, pose))
    actions = [source.next_action(observation, tick) for tick in range(ticks)]
    assert all(action is not None and set(action) == set(KEYS) for action in actions)
    return [action["shoulder_pan.pos"] for action in actions if action]


def test_between_episodes_a_leader_that_can_move_comes_to_the_robot() -> None:
    leader = Arm()
    source = TakingOver(leader, LIMITS, 4, moves_leader=True)  # type: ignore[arg-type]
    # The robot holds while the leader moves; then it slides over what is left between them, as this one fell to 0.
    assert commands(source, 9) == [8.0] * 4 + [6.0, 4.0, 2.0, 0.0, 0.0]
    assert leader.told == ["on", 2.0, 4.0, 6.0, 8.0, "off"]
    assert commands(source, 1) == [8.0], "a new run of the loop takes over anew"


def test_an_episode_that_begins_early_lets_the_leader_go() -> None:
    leader = Arm()
    source = TakingOver(leader, LIMITS, 4, moves_leader=True)  # type: ignore[arg-type]
    source.release()
    assert leader.told == []
    commands(source, 2)
    source.release()
    source.release()
    assert leader.told == ["on", 2.0, 4.0, "off"]


def test_to_a_leader_that_shall_not_move_the_robot_slides() -> None:
    leader = Arm()
    assert commands(TakingOver(leader, LIMITS, 4, moves_leader=False), 5) == [6.0, 4.0, 2.0, 0.0, 0.0]  # type: ignore[arg-type]
    assert leader.told == []


def test_without_a_handover_the_robot_follows_at_once() -> None:
    leader = Arm()
    assert commands(TakingOver(leader, LIMITS, 0, moves_leader=True), 2) == [0.0, 0.0]  # type: ignore[arg-type]
    assert leader.told == []


class Page:
    """A teleoperator that says how fast joints are to move: not in the keys of a robot."""

    def get_action(self) -> dict[str, float]:
        return {"jog.a.pos": 0.5}


def jogged(pair: tuple[Any, Any]) -> dict[str, float]:
    action, observation = pair
    return {"a.pos": observation["a.pos"] + 100 * action["jog.a.pos"]}


def test_a_person_drives_through_the_steps_of_the_teleoperator() -> None:
    observation = Observation({"a.pos": 2.0})
    source = SharedSource(Still(), Page(), 0, jogged)  # type: ignore[arg-type]
    source.write(Tick(0, 0, 0.0, 0.0, Observation(), {}, {}, {"a.pos": 2.0}, 0.0, 0.0))
    source.pause_or_resume()
    source.correct()
    assert source.next_action(observation, 1) == {"a.pos": 52.0}
    limits = {"a.pos": LIMITS["elbow_flex.pos"]}
    between = TakingOver(Page(), limits, 0, moves_leader=True, to_robot=jogged)  # type: ignore[arg-type]
    assert between.next_action(observation, 0) == {"a.pos": 52.0}


def test_a_leader_whose_joints_are_others_is_not_brought_to_the_robot() -> None:
    leader = MovingLeader()
    source = SharedSource(Still(), leader, 2, lambda pair: dict(pair[0]))  # type: ignore[arg-type]
    source.write(Tick(0, 0, 0.0, 0.0, Observation(), {}, {}, {"a.pos": 2.0}, 0.0, 0.0))
    source.pause_or_resume()
    source.next_action(Observation(), 0)
    assert leader.told == []

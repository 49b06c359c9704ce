"""A latched stop holds the actor's robot; meanwhile nothing is learned from, and after the release it plays on."""

from pathlib import Path
from typing import Any

import pytest
from experience import CloningConfig
from pair_process import ArmPolicyConfig

from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.robot import FakeRobot
from lerobot.core.hooks import Hooks
from lerobot.core.safety import stop_latch
from lerobot.core.types import Action
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.features import features_of_dataset
from lerobot.rl.commands.actor import ActorConfig
from lerobot.rl.devices import make_devices
from lerobot.rl.pair.actor import play

HELD = 20


class Courier:
    """Takes what happened to a learner that never sends new weights."""

    episodes = waiting = 0

    def __init__(self) -> None:
        self.taken: list[Any] = []

    def send(self, episode: Any) -> None:
        self.taken.append(episode)

    def check(self) -> None: ...

    def new_weights(self) -> None: ...

    def drain(self, _seconds: float) -> bool:
        return True


@pytest.mark.parametrize(
    "number", [pytest.param(1, id="engaging", marks=pytest.mark.slow), pytest.param(12, id="in an episode")]
)
def test_nothing_moves_until_the_release(
    lerobot_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    sent: list[tuple[bool, Action]] = []
    original = FakeRobot.send_action

    def send(robot: FakeRobot, action: Action) -> Action:
        sent.append((stop_latch().present is not None, dict(action)))
        if len(sent) == number:
            stop_latch().set("smoke", "the test")
        if sum(stopped for stopped, _ in sent) == HELD:
            stop_latch().release("the test")
        return original(robot, action)

    monkeypatch.setattr(FakeRobot, "send_action", send)
    policy = ArmPolicyConfig(device="cpu", push_to_hub=False, noise=5.0)
    given = {"robot": FakeRobotConfig(), "policy": policy, "online": {"steps": 50}, "safety": {"ramp_s": 0.0}}
    rules = {"algorithm": CloningConfig(), "fps": 50, "episode_time_s": 0.4, "reset_time_s": 0}
    config = ActorConfig.model_validate({**given, **rules})
    devices, courier = make_devices(config), Courier()
    own = make_policy(policy, features_of_dataset(devices.features))
    trained = PolicyWithProcessors(own, make_pre_post_processors(own.config))
    assert play(config, devices, courier, trained, tmp_path, Hooks()) == 0  # type: ignore[arg-type]
    stopped = [index for index, (is_stopped, _) in enumerate(sent) if is_stopped]
    assert stopped == list(range(number, number + HELD))
    assert all(sent[index][1] == sent[number][1] for index in stopped)
    assert len({action["shoulder_pan.pos"] for _, action in sent[number + HELD :]}) > HELD, "it plays on"
    assert [len(episode) for episode in courier.taken] == [20, 20, 20], "nobody acts while it is stopped"

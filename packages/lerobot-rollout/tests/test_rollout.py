"""`lerobot rollout` on the fake robot: what reaches it, how it ends, and that nothing moves when anything is wrong."""

import itertools
import re
import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from lerobot.core.config import ChunkPolicyConfig, load
from lerobot.core.errors import CheckpointError, ConfigError, FeatureMismatchError
from lerobot.core.fake import robot as fake_robot
from lerobot.core.fake.config import FakeCameraConfig, FakeRobotConfig
from lerobot.core.protocols.chunks import ActionChunk, ChunkRequest
from lerobot.core.registry import registry
from lerobot.core.safety import SafetyConfig, derive_limits
from lerobot.core.types import FeatureSpec, Observation
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.player import TrainedPlayer
from lerobot.policies.preflight.sources import describe_robot
from lerobot.rollout.command import rollout
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.rollout.source import PolicySource, way_back

CAMERAS = "--robot.cameras={top: {type: fake, width: 40, height: 32, fps: 30}}"
JOINTS = 6


def commands(robot: Any) -> list[dict[str, float]]:
    return [entry.values for entry in robot.log if entry.event == "command"]


def test_the_robot_does_what_the_policy_wants_and_ends_in_its_safe_state(run: Any, robots: Any, capsys: Any) -> None:
    assert run(CAMERAS, "--duration=0.4", "--safety.ramp_s=0", "--return_to_initial_position=false") == 0
    sent = commands(robots[0])
    assert sent[-1]["shoulder_pan.pos"] > 1.0
    assert all(value <= 10.0 + 1e-4 for command in sent for key, value in command.items() if key != "gripper.pos")
    assert robots[0].log[-1].event == "torque off"
    assert "ended by duration" in capsys.readouterr().out


def test_it_returns_to_where_it_was(run: Any, robots: Any) -> None:
    assert run(CAMERAS, "--duration=0.2", "--safety.ramp_s=0") == 0
    assert commands(robots[0])[-1]["shoulder_pan.pos"] == pytest.approx(0.0, abs=0.5)


def test_the_gate_stands_between_policy_and_robot(run: Any, robots: Any) -> None:
    run(CAMERAS, "--duration=0.4", "--safety.max_step=0.01", "--return_to_initial_position=false")
    pan = [command["shoulder_pan.pos"] for command in commands(robots[0])]
    assert max(abs(after - before) for before, after in itertools.pairwise(pan)) <= 0.01 + 1e-6


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((), FeatureMismatchError, r"robot .* does not provide .*observation\.images\.top is missing"),
        (("--robot.cameras={top: {type: fake, width: 64, height: 48, fps: 30}}",), FeatureMismatchError, "instead of"),
        ((CAMERAS, "--safety.position_limits={elbow: [0, 1]}"), ConfigError, "elbow"),
    ],
)
def test_a_robot_that_does_not_fit_is_never_connected(
    run: Any, robots: Any, arguments: tuple[str, ...], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        run(*arguments)
    assert [entry.event for entry in robots[0].log] == []


@pytest.mark.parametrize("name", ["model.safetensors", "policy_preprocessor.json", "policy_postprocessor.json"])
def test_a_damaged_policy_never_reaches_the_robot(run: Any, robots: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / "trained" / name
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CheckpointError):
        run(CAMERAS)
    assert [entry.event for entry in robots[0].log] == []


def test_a_policy_that_fails_does_so_before_the_robot_is_connected(
    run: Any, robots: Any, arm: PolicyWithProcessors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(arm.policy), "predict_action_chunk", lambda *_: torch.zeros(1, 2, JOINTS + 1))
    with pytest.raises(FeatureMismatchError, match=r"unnormalizer_processor got 'action' of the shape \(1, 7\)"):
        run(CAMERAS)
    assert [entry.event for entry in robots[0].log] == []


def test_an_untrained_policy_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"--policy\.path: a trained policy"):
        load(RolloutConfig, ["--policy.type=tiny", "--robot.type=fake"])


def test_another_camera_name_can_be_mapped(run: Any, robots: Any) -> None:
    cameras = CAMERAS.replace("top", "front")
    flags = ("--duration=0.1", "--rename_map={observation.images.front: observation.images.top}")
    assert run(cameras, *flags, "--return_to_initial_position=false") == 0
    assert commands(robots[0])


# --- the source ------------------------------------------------------------------------------------------------------


def test_an_observation_reaches_the_policy_as_a_dataset_would_give_it(arm: PolicyWithProcessors) -> None:
    camera = FakeCameraConfig(width=40, height=32, fps=30)
    features = describe_robot(FakeRobotConfig(cameras={"top": camera})).features
    seen: list[dict[str, Any]] = []
    arm.processors.preprocessor.register_before_step_hook(lambda index, transition: seen.append(dict(transition)))
    source = PolicySource(TrainedPlayer(arm), dict(features), task="pick")
    names = features["observation.state"]["names"]
    picture = np.full((32, 40, 3), 255, np.uint8)
    # The order of the dict is not that of the joints.
    observation = Observation({name: float(number) for number, name in reversed(list(enumerate(names)))})
    action = source.next_action(Observation({**observation, "top": picture}), 0)
    assert action == dict.fromkeys(features["action"]["names"], pytest.approx(10.0))
    assert seen[0]["observation"]["observation.state"].tolist() == list(range(JOINTS))
    assert seen[0]["observation"]["observation.images.top"].shape == (3, 32, 40)
    assert seen[0]["observation"]["observation.images.top"].unique().tolist() == [1.0]
    assert seen[0]["complementary_data"]["task"] == "pick"


def test_the_way_back_is_straight_ends_at_the_goal_and_stands_still_otherwise() -> None:
    speed = FeatureSpec(unit="m/s", range=(-1.0, 1.0))
    joint = FeatureSpec(unit="deg", range=(-90.0, 90.0), max_velocity=100.0)
    limits, _ = derive_limits({"a.pos": joint, "x.vel": speed, "b.pos": joint}, SafetyConfig())
    path = way_back(limits, {"a.pos": 0.0, "x.vel": 3.0, "top": object()}, {"a.pos": 4.0, "x.vel": 1.0}, 4)
    assert path == [{"x.vel": 0.0, "a.pos": position} for position in (1.0, 2.0, 3.0, 4.0)]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [((), None), (("--policy.use_amp=true",), torch.bfloat16), (("--policy.dtype=float16",), torch.float16)],
)
def test_the_policy_computes_in_the_precision_it_was_asked_for(
    run: Any, robots: Any, arm: PolicyWithProcessors, monkeypatch: pytest.MonkeyPatch, flags: Any, expected: Any
) -> None:
    original, seen = type(arm.policy).predict_action_chunk, []

    def predict(self: Any, batch: Any) -> torch.Tensor:
        seen.append(torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else None)
        return original(self, batch)

    monkeypatch.setattr(type(arm.policy), "predict_action_chunk", predict)
    assert run(CAMERAS, "--duration=0.1", "--return_to_initial_position=false", *flags) == 0
    assert len(seen) > 1
    assert set(seen) == {expected}
    assert commands(robots[0])


@pytest.mark.parametrize("stuck", [True, False])
def test_a_camera_that_repeats_one_image_as_if_it_were_new_is_told_of(
    run: Any, robots: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch, stuck: bool
) -> None:
    """The policy goes on: what it sees may be all right. But whoever watches it is told."""
    monkeypatch.setattr("lerobot.datasets.record.repeats.NOTICED_S", 0.1)
    original, first = fake_robot.FakeRobot.get_observation, []

    def observe(self: Any) -> Observation:
        observation = original(self)
        first.append(observation["top"])
        return Observation({**observation, "top": first[0] if stuck else observation["top"]}, observation.stamps)

    monkeypatch.setattr(fake_robot.FakeRobot, "get_observation", observe)
    assert run(CAMERAS, "--duration=0.5", "--safety.ramp_s=0", "--return_to_initial_position=false") == 0
    assert ("camera top gave one image" in capsys.readouterr().out) is stuck


# --- acting ahead of time --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inference", ["async", "rtc"])
def test_the_robot_does_what_is_planned_ahead(run: Any, robots: Any, capsys: Any, inference: str) -> None:
    flags = [f"--inference.type={inference}", "--duration=0.4", "--safety.ramp_s=0"]
    flags += ["--inference.rtc.enabled=false"] if inference == "rtc" else []
    assert run(CAMERAS, *flags, "--return_to_initial_position=false") == 0
    sent = commands(robots[0])
    assert sent[-1]["shoulder_pan.pos"] > 1.0
    assert robots[0].log[-1].event == "torque off"
    text = capsys.readouterr().out
    assert "ticks starved" in text
    assert "age of what was acted on" in text


def test_a_slow_policy_is_told_of_where_the_loop_waits_for_it(
    run: Any, robots: Any, arm: PolicyWithProcessors, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    original = type(arm.policy).predict_action_chunk

    def predict(self: Any, batch: Any) -> torch.Tensor:
        time.sleep(0.1)
        return original(self, batch)

    monkeypatch.setattr(type(arm.policy), "predict_action_chunk", predict)
    for inference in ("sync", "async"):
        flags = (f"--inference.type={inference}", "--duration=0.6", "--return_to_initial_position=false")
        assert run(CAMERAS, *flags) == 0
        told = "The policy cannot keep 50 Hz" in capsys.readouterr().out
        assert told is (inference == "sync")


def test_a_chunk_policy_that_runs_elsewhere_drives_by_the_same_loop(robots: Any) -> None:
    with registry.temporary():
        registry.register("policy", "elsewhere", ElsewhereConfig)
        for inference in ("sync", "async"):
            flags = ["--policy.type=elsewhere", "--robot.type=fake", "--fps=50", "--duration=0.3", "--safety.ramp_s=0"]
            flags += [f"--inference.type={inference}", "--return_to_initial_position=false"]
            config = load(RolloutConfig, flags).config
            assert rollout(config) == 0
            assert max(command["shoulder_pan.pos"] for command in commands(robots[-1])) > 1.0
    assert [each.closed for each in Elsewhere.made] == [True, True]


class ElsewhereConfig(ChunkPolicyConfig):
    target = f"{__name__}:Elsewhere"
    type: str = "elsewhere"


class Elsewhere:
    """Wants every joint at 10."""

    observation_steps = 1
    made: ClassVar[list["Elsewhere"]] = []

    def __init__(self, config: ElsewhereConfig, *, observation_features: Any, action_features: Any, fps: float) -> None:
        assert (config.type, fps) == ("elsewhere", 50)
        assert observation_features.keys() == action_features.keys()
        self.keys = tuple(action_features)
        self.closed = False
        self.made.append(self)

    def reset(self) -> None:
        """Remembers nothing."""

    def predict(self, request: ChunkRequest) -> ActionChunk:
        return ActionChunk(request.timestep, (dict.fromkeys(self.keys, 10.0),) * 8)

    def close(self) -> None:
        self.closed = True


def test_a_faster_loop_sends_more_commands_than_the_policy_gives(run: Any, robots: Any, capsys: Any) -> None:
    flags = ("--interpolation_multiplier=3", "--duration=0.4", "--return_to_initial_position=false")
    assert run(CAMERAS, *flags) == 0
    actions = int(re.search(r"policy: (\d+) actions", capsys.readouterr().out)[1])  # type: ignore[index]
    assert 3 * actions - 2 <= len(commands(robots[0])) <= 3 * actions

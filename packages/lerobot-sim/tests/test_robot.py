"""The virtual follower beyond the conformance kit."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from lerobot.core.control import CallableSource, ControlLoop, Tick
from lerobot.core.errors import ConfigError, DeviceError
from lerobot.core.hooks import Hooks
from lerobot.core.protocols import KnowsSuccess
from lerobot.core.safety import SafetyGate
from lerobot.core.testing import ScriptedPrompter
from lerobot.core.types import EpisodeInfo
from lerobot.sim import hooks as sim_hooks
from lerobot.sim.config import ScriptedConfig, SimCameraConfig, SimSO101Config
from lerobot.sim.expert import Expert
from lerobot.sim.joints import KEYS, to_units
from lerobot.sim.robot import SimSO101
from lerobot.sim.scripted import ScriptedTeleoperator
from lerobot.sim.world import HOME

SMALL = {"width": 64, "height": 48, "fps": 30}


def robot(clock: object = None, **fields: object) -> SimSO101:
    return SimSO101(SimSO101Config(renderer="painter", **fields), clock=clock)


def test_features_are_the_followers() -> None:
    arm = robot(cameras={"wrist": SimCameraConfig(**SMALL)})
    assert list(arm.action_features) == list(KEYS)
    assert list(arm.observation_features) == [*KEYS, "wrist"]
    assert arm.observation_features["wrist"].shape == (48, 64, 3)
    assert {feature.unit for key, feature in arm.action_features.items() if key != "gripper.pos"} == {"deg"}
    assert arm.action_features["gripper.pos"].range == (0.0, 100.0)


def test_it_moves_where_it_is_told(clock: object) -> None:
    with robot(clock) as arm:
        for _ in range(60):
            sent = arm.send_action({"shoulder_pan.pos": 40.0, "gripper.pos": 80.0})
            clock.time_s += 1 / 30
        assert sent == {"shoulder_pan.pos": 40.0, "gripper.pos": 80.0}
        seen = arm.get_observation()
        assert seen["shoulder_pan.pos"] == pytest.approx(40, abs=0.5)
        assert seen["gripper.pos"] == pytest.approx(80, abs=0.5)
        assert seen.stamps["gripper.pos"].time_s == pytest.approx(clock.now(), abs=2e-3)


def test_it_knows_whether_its_task_is_solved(clock: object) -> None:
    with robot(clock, task="reach") as arm:
        assert isinstance(arm, KnowsSuccess)
        assert not arm.is_success
        arm.world.place("ball", arm.world.position("grasp"))
        clock.time_s += 1 / 30
        arm.get_observation()
        assert arm.is_success


def test_max_relative_target_holds_back(clock: object) -> None:
    with robot(clock, max_relative_target=5.0) as arm:
        present = arm.get_observation()["shoulder_pan.pos"]
        assert arm.send_action({"shoulder_pan.pos": 90.0})["shoulder_pan.pos"] == pytest.approx(present + 5.0)


def test_max_relative_target_names_every_joint() -> None:
    with pytest.raises(ConfigError, match="max_relative_target"):
        robot(max_relative_target={"shoulder_pan": 5.0})


def test_a_target_that_is_no_number_is_refused(clock: object) -> None:
    with robot(clock) as arm, pytest.raises(DeviceError, match=r"elbow_flex\.pos is nan"):
        arm.send_action({"elbow_flex.pos": float("nan")})


def test_a_camera_needs_a_view_that_exists() -> None:
    with pytest.raises(ConfigError, match=r"cameras\.laptop\.view: expected one of front, side, top, wrist"):
        robot(cameras={"laptop": SimCameraConfig(**SMALL)})
    assert robot(cameras={"laptop": SimCameraConfig(view="side", **SMALL)}).cameras["laptop"].width == 64


def test_two_robots_need_two_ids(clock: object) -> None:
    with robot(clock), pytest.raises(DeviceError, match="already running"):
        robot(clock).connect()
    with robot(clock, id="left"), robot(clock, id="right"):
        teleop = ScriptedTeleoperator(ScriptedConfig())
        teleop.connect()
        with pytest.raises(DeviceError, match="running: 'left', 'right'"):
            teleop.get_action()


def test_a_teleoperator_without_a_robot_says_what_is_missing() -> None:
    teleop = ScriptedTeleoperator(ScriptedConfig())
    teleop.connect()
    with pytest.raises(DeviceError, match="no simulated robot"):
        teleop.get_action()


def test_calibration_has_the_fields_of_the_field(clock: object, tmp_path: object) -> None:
    prompter = ScriptedPrompter()
    arm = SimSO101(SimSO101Config(id="a", calibration_dir=tmp_path), clock=clock, prompter=prompter)
    arm.calibrate()
    servos = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert list(servos) == [key.removesuffix(".pos") for key in KEYS]
    assert list(servos["wrist_roll"].items()) == [
        ("id", 5), ("drive_mode", 0), ("homing_offset", 0), ("range_min", 0), ("range_max", 4095),
    ]  # fmt: skip
    assert servos["shoulder_pan"]["range_max"] - servos["shoulder_pan"]["range_min"] == 2504


def test_the_scripted_operator_lifts_the_cube_and_says_so(clock: object) -> None:
    teleop = ScriptedTeleoperator(ScriptedConfig())
    with robot(clock) as arm, teleop:
        events: list[dict[str, bool]] = []
        for _ in range(200):
            arm.send_action(teleop.get_action())
            clock.time_s += 1 / 30
            events.append(teleop.get_teleop_events())
        assert arm.world.task.solved(arm.world)
    assert sum(event["terminate_episode"] for event in events) == 1
    assert sum(event["success"] for event in events) == 1
    assert not any(event["failure"] for event in events)


def test_between_episodes_the_expert_goes_home_and_the_table_is_rearranged(clock: object) -> None:
    hooks = Hooks()
    hooks.register(sim_hooks, "sim")
    teleop = ScriptedTeleoperator(ScriptedConfig())
    with robot(clock) as arm, teleop:
        outcomes = []
        for index in range(3):
            hooks.call("episode_start", episode=EpisodeInfo(index))
            start = arm.world.position("cube")
            arm_before = arm.world.joint_positions
            hooks.call("episode_start", episode=EpisodeInfo(index))
            assert np.array_equal(arm.world.position("cube"), start), "recorded again, it starts the same"
            assert np.array_equal(arm.world.joint_positions, arm_before)
            for _ in range(200):
                arm.send_action(teleop.get_action())
                clock.time_s += 1 / 30
            outcomes.append((tuple(start), arm.world.task.solved(arm.world)))
            hooks.call("episode_end", episode=EpisodeInfo(index))
            for _ in range(90):
                arm.send_action(teleop.get_action())
                clock.time_s += 1 / 30
            assert not arm.world.task.solved(arm.world), "the cube was let go"
            assert arm.world.joint_positions == pytest.approx(HOME, abs=0.07), "and goes home while nothing is recorded"
    assert len({start for start, _ in outcomes}) == 3
    assert all(solved for _, solved in outcomes)


def test_reaching_begins_where_the_arm_waits_anywhere_between_the_ball_and_home(clock: object) -> None:
    hooks = Hooks()
    hooks.register(sim_hooks, "sim")
    teleop = ScriptedTeleoperator(ScriptedConfig())
    parts = []
    with robot(clock, task="reach") as arm, teleop:
        for index in range(8):
            hooks.call("episode_start", episode=EpisodeInfo(index))
            for _ in range(90):
                arm.send_action(teleop.get_action())
                clock.time_s += 1 / 30
            assert arm.world.task.solved(arm.world)
            at_ball = arm.world.joint_positions
            hooks.call("episode_end", episode=EpisodeInfo(index))
            for _ in range(60):
                arm.send_action(teleop.get_action())
                clock.time_s += 1 / 30
            way, gone = (HOME - at_ball)[:5], (arm.world.joint_positions - at_ball)[:5]
            parts.append(float(way @ gone / (way @ way)))
    assert all(-0.1 < part < 1.1 for part in parts)
    assert max(parts) - min(parts) > 0.5


def test_as_fast_as_possible_is_repeatable_to_the_last_bit() -> None:
    """Commands, readings and pictures."""

    def run() -> tuple[list[dict[str, float]], np.ndarray]:
        with robot(realtime=False, cameras={"front": SimCameraConfig(**SMALL)}) as arm:
            rows = []
            for i in range(40):
                seen = arm.get_observation()
                picture = seen.pop("front")
                rows.append(dict(seen))
                arm.send_action({"shoulder_pan.pos": float(i), "gripper.pos": float(2 * i)})
            return rows, picture

    first, second = run(), run()
    assert first[0] == second[0]
    assert np.array_equal(first[1], second[1])
    assert first[0][-1]["shoulder_pan.pos"] > 20


@pytest.mark.parametrize(("fps", "control_hz"), [(30, 30.0), (10, 30.0), (12, 12.0)])
def test_the_control_loop_keeps_the_time_of_a_scene_that_is_not_in_real_time(fps: int, control_hz: float) -> None:
    """Slots, capture times and pictures are those of the scene, at rates that are no whole number of commands too."""
    ticks: list[Tick] = []
    camera = SimCameraConfig(**SMALL | {"fps": fps})
    with robot(realtime=False, control_hz=control_hz, cameras={"front": camera}) as arm:
        began = arm.world.now_s
        loop = ControlLoop(
            arm,
            CallableSource(lambda _seen: {**to_units(HOME), "shoulder_pan.pos": 20.0}),
            SafetyGate.for_robot(arm),
            fps=fps,
            sinks=[SimpleNamespace(write=ticks.append)],
        )
        report = loop.run(duration_s=4.0)
        assert arm.get_observation()["shoulder_pan.pos"] == pytest.approx(20, abs=0.5)
    assert report.overruns == 0
    assert not report.stale
    assert [tick.start_s - began for tick in ticks] == pytest.approx([k / fps for k in range(4 * fps)], abs=1 / 600)
    assert [tick.observation.stamps["front"].time_s for tick in ticks] == [tick.start_s for tick in ticks]


@pytest.mark.parametrize(
    ("task", "episodes"), [("lift", 5), *(pytest.param(task, 20, marks=pytest.mark.slow) for task in ("lift", "place"))]
)
def test_commands_given_again_at_slightly_other_times_end_within_5_mm(task: str, episodes: int, clock: object) -> None:
    """Real loops jitter: each command comes up to 3 ms early or late, in every one of the episodes."""
    rng = np.random.default_rng(0)
    arm = robot(clock, task=task)
    for episode in range(episodes):
        with arm:
            arm.world.reset(episode=episode)
            expert, commands = Expert(arm.world), []
            while not expert.is_done:
                arm.world.sync()
                commands.append(to_units(expert.command()))
                arm.send_action(commands[-1])
                clock.time_s += 1 / 30
            arm.world.sync()
            recorded = arm.world.position("cube")
            assert arm.world.task.solved(arm.world)
        with arm:
            arm.world.reset(episode=episode)
            began = clock.now()
            for i, command in enumerate(commands):
                clock.time_s = began + i / 30 + rng.uniform(-0.003, 0.003)
                arm.send_action(command)
            clock.time_s = began + len(commands) / 30
            arm.world.sync()
            assert np.linalg.norm(arm.world.position("cube") - recorded) < 0.005

"""One tick after the other: order, records, freshness, ends."""

import threading

import pytest

from lerobot.core.control import CallableSource, ControlLoop, Freshness, SequenceSource, Tick
from lerobot.core.errors import DeviceError, DeviceTimeoutError, LeRobotError, SafetyError
from lerobot.core.hooks import Hooks, hookimpl
from lerobot.core.safety import SafetyConfig, SafetyGate
from lerobot.core.types import FeatureSpec, Observation


class Keep:
    def __init__(self):
        self.ticks: list[Tick] = []

    def write(self, tick):
        self.ticks.append(tick)


@pytest.fixture
def keep():
    return Keep()


def make(robot, source, *, fps=50, safety=None, **options):
    if callable(source):
        source = CallableSource(source)
    return ControlLoop(robot, source, SafetyGate.for_robot(robot, safety), fps=fps, clock=robot.clock, **options)


def go(angle):
    return lambda observation: {"joint.pos": angle}


def test_a_robot_with_a_clock_of_its_own_is_driven_by_it(arm, keep):
    """A simulation: a minute there need not take a minute here."""
    loop = ControlLoop(arm, CallableSource(go(1.0)), SafetyGate.for_robot(arm), fps=50, sinks=[keep])
    loop.run(duration_s=60.0)
    assert arm.clock.now() == pytest.approx(160.0, abs=0.03)
    assert [tick.start_s for tick in keep.ticks] == pytest.approx([100.0 + k / 50 for k in range(3000)])


def test_a_robot_that_goes_on_by_steps_is_driven_at_its_rate_only(arm, monkeypatch):
    monkeypatch.setattr(type(arm), "control_hz", 80.0, raising=False)
    ControlLoop(arm, CallableSource(go(1.0)), SafetyGate.for_robot(arm), fps=80)
    with pytest.raises(LeRobotError, match=r"takes 80 commands a second, and 30 were asked for"):
        ControlLoop(arm, CallableSource(go(1.0)), SafetyGate.for_robot(arm), fps=30)


def test_stages_run_in_order(arm, keep):
    order = []

    def note(name, result=None):
        def step(*arguments):
            order.append(name)
            return arguments[0] if result is None else result

        return step

    arm.get_observation = lambda measure=arm.get_observation: note("observe")(measure())
    arm.send_action = lambda action, send=arm.send_action: note("send")(send(action))
    keep.write = note("sink")
    loop = make(
        arm,
        note("source", {"joint.pos": 1.0}),
        observation_processors=[note("observation 1"), note("observation 2")],
        action_processors=[note("action 1"), note("action 2")],
        sinks=[keep],
    )
    loop.run(duration_s=0.02)
    assert order == ["observe", "observation 1", "observation 2", "source", "action 1", "action 2", "send", "sink"]


def test_a_tick_records_requested_gated_and_sent(arm, keep):
    arm.send_action = lambda action: {"joint.pos": action["joint.pos"] / 2}
    make(arm, go(80.0), safety=SafetyConfig(ramp_s=0), sinks=[keep]).run(duration_s=0.1)
    tick = keep.ticks[1]
    assert tick.requested == {"joint.pos": 80.0}
    assert tick.gated["joint.pos"] == pytest.approx(180 / 50)
    assert tick.sent["joint.pos"] == pytest.approx(90 / 50)
    assert tick.interventions == {"joint.pos": "velocity"}
    assert keep.ticks[2].gated["joint.pos"] == pytest.approx(90 / 50 + 180 / 50), "counted from what was sent"
    assert (tick.index, tick.slot, tick.deadline_s) == (1, 1, 100.02)
    assert tick.observation.stamps["joint.pos"].time_s == tick.start_s
    assert tick.start_s <= tick.command_time_s <= tick.sent_time_s


def test_a_tick_cannot_be_changed_by_robot_or_source(arm, keep):
    mine = {"joint.pos": 0.0}

    def send(action):
        sent = dict(action)
        action["joint.pos"] = "broken"
        return sent

    arm.send_action = send
    make(arm, lambda _: mine, sinks=[keep]).run(duration_s=0.02)
    mine["joint.pos"] = "broken"
    assert keep.ticks[0].gated == keep.ticks[0].requested == {"joint.pos": 0.0}
    with pytest.raises(AttributeError):
        keep.ticks[0].index = 7


def test_processors_may_change_keys_and_capture_times_survive(arm, keep):
    seen = []
    make(
        arm,
        lambda observation: seen.append(observation) or {"delta": 2.0},
        observation_processors=[lambda observation: {**observation, "sum": 1}],
        action_processors=[lambda action, raw: {"joint.pos": raw["joint.pos"] + action["delta"]}],
        sinks=[keep],
    ).run(duration_s=0.02)
    assert isinstance(seen[0], Observation)
    assert seen[0]["sum"] == 1
    assert seen[0].stamps["joint.pos"].time_s == 100.0
    assert keep.ticks[0].requested == {"joint.pos": 2.0}


# --- ends ------------------------------------------------------------------------------------------------------------


def test_a_sequence_is_replayed_and_ends_the_run(arm):
    report = make(arm, SequenceSource([{"joint.pos": float(i)} for i in range(5)])).run()
    assert report.ended_by == "source"
    assert report.ticks == len(arm.log) == 5


def test_duration_ends_the_run(arm):
    report = make(arm, go(0.0)).run(duration_s=1)
    assert (report.ended_by, report.ticks) == ("duration", 50)


def test_an_event_ends_the_run_after_the_tick(arm):
    stop = threading.Event()
    report = make(arm, lambda _: stop.set() or {"joint.pos": 0.0}).run(stop=stop)
    assert (report.ended_by, report.ticks) == ("stop", 1)


@pytest.mark.parametrize("stage", ["get_observation", "send_action", "source", "sink", "processor"])
def test_an_exception_in_any_stage_comes_out_and_is_in_the_report(arm, keep, stage):
    error = DeviceError(stage)

    def fail(*arguments):
        raise error

    if hasattr(arm, stage):
        setattr(arm, stage, fail)
    if stage == "sink":
        keep.write = fail
    loop = make(
        arm,
        fail if stage == "source" else go(0.0),
        sinks=[keep],
        action_processors=[fail] if stage == "processor" else [],
    )
    with pytest.raises(DeviceError) as caught:
        loop.run(duration_s=1)
    assert caught.value is error
    assert loop.report.ended_by == "error: DeviceError"


def test_a_robot_that_does_not_say_what_it_sent_is_named(arm):
    arm.send_action = lambda action: None
    with pytest.raises(DeviceError, match="send_action returned None"):
        make(arm, go(0.0)).run(duration_s=1)


def test_each_run_has_its_own_report_and_engages_anew(arm):
    loop = make(arm, go(80.0), safety=SafetyConfig(ramp_s=0))
    assert loop.run(duration_s=0.1).interventions == {"joint.pos": {"velocity": 5}}
    loop.source = CallableSource(lambda _: {"joint.pos": arm.position})
    report = loop.run(duration_s=0.2)
    assert report.interventions == {}
    assert report.ticks == 10


def test_velocity_commands_are_zeroed_when_the_loop_ends(arm):
    arm.action_features = {**arm.action_features, "x.vel": FeatureSpec(unit="m/s", range=(-1, 1))}
    with pytest.raises(SafetyError):
        make(
            arm,
            lambda _: {"joint.pos": 0.0, "x.vel": 1.0} if arm.clock.now() < 101 else {},
            safety=SafetyConfig(stop_after_s=0.2),
        ).run()
    assert arm.log[30]["x.vel"] > 0
    assert arm.log[-1] == {"joint.pos": 0.0, "x.vel": 0.0}


# --- freshness -------------------------------------------------------------------------------------------------------


def test_a_picture_seen_twice_is_marked_and_counted(arm_with_camera, keep):
    report = make(arm_with_camera, go(0.0), fps=60, sinks=[keep]).run(duration_s=1)
    stale = [tick.observation.stamps["front"].stale for tick in keep.ticks]
    assert stale == [False, True] * 30
    assert report.stale == {"front": 30}


def test_an_old_picture_is_stale_even_if_it_is_new(arm_with_camera, keep):
    arm_with_camera.camera_hz = 1
    make(arm_with_camera, go(0.0), fps=2, sinks=[keep], freshness=Freshness(stale_after_s=0.4)).run(duration_s=1.5)
    assert [tick.observation.stamps["front"].stale for tick in keep.ticks] == [False, True, False]


def test_a_dead_camera_ends_the_run(arm_with_camera):
    original = arm_with_camera.get_observation
    frozen = original()

    def freeze():
        observation = original()
        if arm_with_camera.clock.now() > 101:
            observation.stamps["front"] = frozen.stamps["front"]
        return observation

    arm_with_camera.get_observation = freeze
    with pytest.raises(DeviceTimeoutError, match="'front' has given nothing new for") as caught:
        make(arm_with_camera, go(0.0), freshness=Freshness(dead_after_s=0.5)).run(duration_s=10)
    assert caught.value.device == "front"
    assert arm_with_camera.clock.now() == pytest.approx(101.04, abs=0.05)


def test_a_frozen_state_holds_and_then_ends_the_run(arm, keep):
    first = arm.get_observation()
    arm.get_observation = lambda: first
    loop = make(arm, go(50.0), sinks=[keep], freshness=Freshness(dead_after_s=60))
    with pytest.raises(SafetyError, match="stale state"):
        loop.run(duration_s=60)
    held = [tick for tick in keep.ticks if tick.interventions.get("joint.pos") == "stale state"]
    assert len({tick.gated["joint.pos"] for tick in held}) == 1


def test_a_source_may_say_how_old_its_command_is(arm, keep):
    source = CallableSource(go(1.0))
    source.command_time_s = 99.0
    make(arm, source, sinks=[keep]).run(duration_s=0.02)
    assert keep.ticks[0].interventions == {"joint.pos": "stale command"}
    assert keep.ticks[0].command_time_s == 99.0


# --- hooks -----------------------------------------------------------------------------------------------------------


def test_hooks_see_ticks_and_actions_and_cannot_break_the_loop(arm):
    class Plugin:
        def __init__(self):
            self.seen = []

        @hookimpl
        def action_sent(self, requested, sent, time_s):
            self.seen.append((requested, sent))

        @hookimpl
        def control_tick(self, tick):
            self.seen.append(tick.index)
            raise ValueError("plugin")

    plugin, hooks = Plugin(), Hooks()
    hooks.register(plugin, "plugin")
    report = make(arm, go(0.0), hooks=hooks).run(duration_s=0.06)
    assert report.ticks == 3
    action = ({"joint.pos": 0.0}, {"joint.pos": 0.0})
    assert plugin.seen == [action, 0, action, action]


def test_a_source_whose_command_is_from_time_zero_is_old(arm, keep):
    class Stale:
        command_time_s = 0.0

        def next_action(self, observation, tick):
            return {"joint.pos": 10.0}

    make(arm, Stale(), sinks=[keep]).run(duration_s=0.1)
    assert all(tick.interventions == {"joint.pos": "stale command"} for tick in keep.ticks)


def test_a_slow_first_command_does_not_use_up_the_ramp(arm, clock):
    def think(observation):
        if not arm.log:
            clock.work(30)
        return {"joint.pos": 80.0}

    # Without time stamps the gate cannot know that the pose was measured before the source began to think.
    arm.get_observation = lambda: Observation({"joint.pos": arm.position})
    make(arm, think).run(duration_s=32)
    positions = [action["joint.pos"] for action in arm.log]
    assert positions[0] == 0
    assert positions[1] < 0.1
    assert positions[51] == pytest.approx(40, abs=0.1), "half way after one of two seconds"

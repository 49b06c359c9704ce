"""`teleoperate` on the fake devices."""

import io
import sys
from types import SimpleNamespace

import pytest

from lerobot.core.commands.teleoperate import TeleoperateConfig
from lerobot.core.control.command import teleoperate
from lerobot.core.control.status import StatusLine, status_text
from lerobot.core.errors import ConfigError, DeviceError, FeatureMismatchError, LeRobotError
from lerobot.core.fake import robot as fake_robot
from lerobot.core.fake.joints import joint_features
from lerobot.core.tick import Tick
from lerobot.core.types import FeatureSpec, Observation


def config(robot=None, teleop=None, **fields):
    values = {"robot": {"type": "fake", **(robot or {})}, "teleop": {"type": "fake", **(teleop or {})}}
    return TeleoperateConfig.model_validate({**values, "teleop_time_s": 0.2, **fields})


@pytest.fixture(autouse=True)
def isolated(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))


@pytest.fixture
def robots(monkeypatch):
    """Every fake robot that is built."""
    built = []
    original = fake_robot.FakeRobot.__init__

    def init(self, *arguments, **named):
        original(self, *arguments, **named)
        built.append(self)

    monkeypatch.setattr(fake_robot.FakeRobot, "__init__", init)
    return built


def test_it_ends_by_itself_in_the_safe_state_and_reports(robots, capsys):
    assert teleoperate(config()) == 0
    events = [entry.event for entry in robots[0].log]
    assert events[0] == "torque on"
    assert "command" in events
    assert events[-1] == "torque off"
    output = capsys.readouterr().out
    assert "ended by duration" in output
    assert "start jitter" in output


@pytest.mark.parametrize(
    "broken",
    [
        {"robot": {"fails_after": 3}},
        {"robot": {"sends_fail_after": 3}},
        {"teleop": {"fails_after": 3}},
        {"robot": {"fails_after": 0}},
    ],
)
def test_a_failing_device_ends_in_the_safe_state_and_the_report_is_still_shown(robots, capsys, broken):
    with pytest.raises(DeviceError, match="as configured"):
        teleoperate(config(**broken))
    assert robots[0].log[-1].event == "torque off"
    assert not robots[0].is_connected
    assert "ended by error: DeviceError" in capsys.readouterr().out


def test_processors_stand_between_teleoperator_and_robot(robots):
    turned = dict.fromkeys(joint_features(), 0.0) | {"shoulder_pan.pos": 30.0}
    limit = {"type": "clip_processor", "limits": {"shoulder_pan.pos": [-10, 10]}}
    teleoperate(
        config(teleop={"sequence": [turned]}, processors={"teleop": [limit]}, safety={"ramp_s": 0.0}, teleop_time_s=1.0)
    )
    commands = [entry.values["shoulder_pan.pos"] for entry in robots[0].log if entry.event == "command"]
    assert max(commands) == pytest.approx(10.0)


def test_what_the_processors_make_must_be_what_the_robot_takes(robots):
    dropped = {"type": "select_keys_processor", "entry": "action", "keys": ["gripper.pos"]}
    with pytest.raises(FeatureMismatchError, match="fake with its processors does not command shoulder_pan") as caught:
        teleoperate(config(processors={"teleop": [dropped]}))
    assert "--processors.teleop" in caught.value.hint
    assert not robots[0].log


def test_the_first_commands_start_at_the_measured_pose(robots):
    target = {key: spec.range[1] for key, spec in joint_features().items()}
    teleoperate(config(teleop={"sequence": [target]}))
    commands = [entry for entry in robots[0].log if entry.event == "command"]
    start = {key: sum(spec.range) / 2 for key, spec in joint_features().items()}
    for key in target:
        assert commands[0].values[key] == pytest.approx(start[key], abs=0.5)
        path = [entry.values[key] for entry in commands]
        assert path == sorted(path)
        # 0.2 s into a ramp of 2 s (smoothstep): 2.8 % of the way
        assert path[-1] - start[key] <= 0.04 * (target[key] - start[key])


def test_limits_from_the_configuration_reach_the_robot(robots):
    teleoperate(
        config(
            teleop={"sequence": [{key: spec.range[1] for key, spec in joint_features().items()}]},
            safety={"ramp_s": 0, "position_limits": {"shoulder_pan": [-2, 1.5]}},
        )
    )
    sent = [entry.values["shoulder_pan.pos"] for entry in robots[0].log if entry.event == "command"]
    assert max(sent) == 1.5


def test_off_is_said_in_the_report(capsys, caplog):
    teleoperate(config(safety={"enabled": False}))
    assert "safety gate: OFF" in capsys.readouterr().out
    assert "SAFETY GATE IS OFF" in caplog.text


def test_devices_that_do_not_fit_never_connect(robots, monkeypatch):
    features = joint_features()
    features["gripper.pos"] = FeatureSpec(unit="deg")
    monkeypatch.setattr("lerobot.core.fake.teleoperator.FakeTeleoperator.action_features", features)
    with pytest.raises(FeatureMismatchError) as caught:
        teleoperate(config())
    assert caught.value.keys == ("gripper.pos",)
    assert not robots[0].log


@pytest.mark.parametrize(
    ("fields", "flag"),
    [
        ({"safety": {"max_velocity": {"elbow": 3}}}, "--safety.max_velocity"),
        ({"display_data": True, "display_mode": "foxglove"}, "--display_mode"),
        ({"display_data": True, "display_ip": "10.0.0.1"}, "--display_port"),
        ({"display_data": True, "display_port": 9876}, "--display_ip"),
    ],
)
def test_settings_that_do_not_fit_are_refused_before_anything_connects(robots, fields, flag):
    with pytest.raises(ConfigError) as caught:
        teleoperate(config(**fields))
    assert [problem.where for problem in caught.value.problems] == [flag]
    assert not robots[0].log


# --- display ---------------------------------------------------------------------------------------------------------


def tick(index, **sent):
    time_s = index / 60
    return Tick(
        index, index, time_s, time_s, Observation({"a.pos": 1.0, "cam": None}), sent, sent, sent, time_s, time_s
    )


def test_a_viewer_that_is_not_installed_is_one_clear_line(robots, monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(LeRobotError) as caught:
        teleoperate(config(display_data=True))
    assert "--display_data=true needs 'rerun'" in str(caught.value)
    assert "lerobot-core[viz]" in caught.value.hint
    assert not robots[0].log


class Recording:
    """Stands for the viewer's recording stream; keeps what it is told."""

    def __init__(self, application):
        self.said = [("application", application)]
        Recording.last = self

    def __getattr__(self, name):
        return lambda *arguments, **named: self.said.append((name, *arguments, named))


def test_rerun_gets_numbers_and_pictures(monkeypatch):
    np = pytest.importorskip("numpy")
    from lerobot.core.control.rerun_display import RerunDisplay

    stand_in = SimpleNamespace(
        RecordingStream=Recording,
        Scalars=lambda value: ("scalar", value),
        Image=lambda image: SimpleNamespace(compress=lambda jpeg_quality: ("jpeg", image.shape)),
        DepthImage=lambda image, meter: ("depth", image.shape, meter),
    )
    monkeypatch.setitem(sys.modules, "rerun", stand_in)
    display = RerunDisplay("run", address=("10.0.0.1", 9876), compress=True)
    observation = Observation(
        {"a.pos": np.float32(1), "cam": np.zeros((4, 6, 3), "u1"), "deep": np.zeros((4, 6, 1), "u2"), "word": "x"}
    )
    display.write(Tick(3, 3, 0.05, 0.05, observation, {"a.pos": 2.0}, {}, {"a.pos": 1.5}, 0.05, 0.05))
    display.close()
    assert Recording.last.said == [
        ("application", "run"),
        ("connect_grpc", "rerun+http://10.0.0.1:9876/proxy", {}),
        ("set_time", "tick", {"sequence": 3}),
        ("set_time", "time", {"duration": 0.0}),
        ("log", "observation/a.pos", ("scalar", 1.0), {}),
        ("log", "observation/cam", ("jpeg", (4, 6, 3)), {}),
        ("log", "observation/deep", ("depth", (4, 6), 1000.0), {}),
        ("log", "action/requested/a.pos", ("scalar", 2.0), {}),
        ("log", "action/sent/a.pos", ("scalar", 1.5), {}),
        ("disconnect", {}),
    ]


# --- status line -----------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_line_is_rewritten_a_few_times_a_second():
    stream = Terminal()
    status = StatusLine(stream)
    for index in range(61):
        status.write(tick(index, **{"pan.pos": 1.25}))
    status.close()
    lines = stream.getvalue().split("\r")[1:]
    assert 4 <= len(lines) <= 5
    assert all(" 60.0 Hz" in line and "pan 1.2" in line and line.rstrip("\n").endswith("\x1b[K") for line in lines)
    assert stream.getvalue().endswith("\n")


def test_elsewhere_a_plain_line_comes_now_and_then():
    stream = io.StringIO()
    status = StatusLine(stream)
    for index in range(60 * 6 + 1):
        status.write(tick(index, **{"pan.pos": 1.25}))
    status.close()
    assert len(stream.getvalue().splitlines()) == 3
    assert "\r" not in stream.getvalue()


def test_a_second_run_of_the_loop_has_a_rate_of_its_own():
    stream = io.StringIO()
    status = StatusLine(stream)
    for index in [*range(200), *range(121)]:
        status.write(tick(index, **{"pan.pos": 1.25}))
    assert [line.split()[0] for line in stream.getvalue().splitlines()] == ["60.0", "60.0"]


def test_times_are_those_of_the_loops_own_clock():
    shown = Tick(0, 0, 5.0, 5.0, Observation(), {}, {}, {}, 5.0, 5.25, {}, True)
    assert " 250.00 ms " in status_text(shown, 60.0)


def test_the_line_shows_what_the_gate_did():
    shown = Tick(0, 0, 0, 0, Observation(), {}, {}, {"light": True}, 0, 0, {"a": "velocity", "b": "range"}, False)
    text = status_text(shown, 59.9)
    assert "gate: 2" in text
    assert "SAFETY OFF" in text
    assert "light True" in text


@pytest.mark.parametrize(
    ("reason", "shown"), [("stopped", "STOPPED, until: lerobot stop --release"), ("current of elbow", "HOLDS: current")]
)
def test_the_line_says_why_nothing_moves(reason, shown):
    tick = Tick(0, 0, 0, 0, Observation(), {}, {}, {"a.pos": 1.0}, 0, 0, {"a.pos": reason}, True, True)
    assert shown in status_text(tick, 60.0)


@pytest.mark.parametrize(
    ("safety", "flag"),
    [
        ({"max_temperature_c": 60}, "--safety.max_temperature_c"),
        ({"max_velocity": {"nose": 1}}, "--safety.max_velocity"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_gets_power(robots, safety, flag):
    with pytest.raises(ConfigError, match=flag):
        teleoperate(config(safety=safety))
    assert not robots[0].log

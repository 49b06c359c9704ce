"""What keys, buttons and the control file ask for."""

from types import SimpleNamespace

import pytest

from lerobot.core.errors import DatasetError
from lerobot.core.fake.config import FakeTeleoperatorConfig
from lerobot.core.protocols import StepResult
from lerobot.core.terminal import terminal_keys
from lerobot.datasets.record.control_file import ControlFile
from lerobot.datasets.record.keyboard import open_keyboard
from lerobot.datasets.record.requests import Request, Requests, robot_requests, teleoperator_requests

NEXT, SUCCESS, FAILURE, REDO, STOP = Request


@pytest.fixture
def keyboard(typist):
    keyboard = open_keyboard()
    yield keyboard
    keyboard.close()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("n", [NEXT]),
        ("N", [NEXT]),
        ("r", [REDO]),
        ("R", [REDO]),
        ("q", [STOP]),
        ("Q", [STOP]),
        ("sF", [SUCCESS, FAILURE]),
        ("nn", [NEXT, NEXT]),
        ("\x1b[C", [NEXT]),
        ("\x1bOC", [NEXT]),
        ("\x1b[D", [REDO]),
        ("\x1bOD", [REDO]),
        ("\x1b[A\x1b[B\x1b[3~x \t\r", []),
        ("\x1b\x1b[C", [STOP, NEXT]),
        ("\x1bn", [STOP, NEXT]),
    ],
)
def test_keys(keyboard, typist, typed, meant):
    typist.type(typed)
    assert keyboard.poll() == meant
    assert keyboard.poll() == []


def test_the_help_names_every_key_and_who_else_has_one(keyboard):
    assert keyboard.help() == "Keys: → or n next, ← or r record again, s success, f failure, Esc or q save and stop."


def test_keys_that_drive_the_robot_are_named(typist):
    arm = terminal_keys.listen("keyboard_ee", {"left", "right", "up", "s"}, spare={"r"})
    keyboard = open_keyboard()
    assert keyboard.help() == (
        "Keys: n next, r record again, no key success, f failure, Esc or q save and stop. "
        "keyboard_ee has ← and → and s."
    )
    typist.type("\x1b[Crs")
    assert keyboard.poll() == [REDO]
    assert arm.typed() == ["right", "s"]
    arm.close()
    keyboard.close()


def test_a_terminal_that_is_gone_asks_for_nothing(keyboard, typist):
    typist.hang_up()
    assert keyboard.poll() == []


def test_without_a_terminal_there_is_no_keyboard(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert open_keyboard() is None


def test_stop_goes_before_everything_and_otherwise_the_latest_counts():
    class Given:
        def __init__(self, *requests):
            self.requests = list(requests)

        def poll(self):
            return self.requests

    assert Requests([]).poll() is None
    assert Requests([Given(), Given(NEXT, REDO)]).poll() == REDO
    assert Requests([Given(STOP, NEXT), Given(REDO)]).poll() == STOP


def test_buttons_of_a_teleoperator():
    events = {0: ["success"], 1: ["failure"], 2: ["terminate_episode"], 3: ["rerecord_episode"], 4: []}
    events[5] = ["terminate_episode", "failure"]
    teleop = FakeTeleoperatorConfig(events=events).build()
    read = teleoperator_requests(teleop)
    found = []
    with teleop:
        for _ in events:
            teleop.get_action()
            found.append(read())
    assert found == [SUCCESS, FAILURE, NEXT, REDO, None, FAILURE]
    assert teleoperator_requests(object())() is None


def test_a_robot_that_judges_ends_its_episodes():
    robot = SimpleNamespace(step_result=StepResult(reward=1.0))
    read = robot_requests(robot)
    found = []
    for result in (StepResult(0.5), StepResult(1.0, done=True, success=True), StepResult(0.0, done=True)):
        robot.step_result = result
        found.append(read())
    assert found == [None, SUCCESS, FAILURE]
    assert robot_requests(object())() is None


def test_control_file(tmp_path, caplog):
    file = ControlFile(tmp_path / "run" / "control")
    assert file.poll() == []
    for mode, text in (("w", "next\n"), ("a", "Success\nredo\n"), ("w", "stop")):
        with file.path.open(mode) as opened:
            opened.write(text)
        assert file.poll() == [Request(word.lower()) for word in text.split()]
        assert file.poll() == []
    file.path.write_text("sotp next")
    assert file.poll() == [NEXT]
    assert "'sotp' is none of next, success, failure, redo, stop" in caplog.text
    file.close()
    assert list(file.path.parent.iterdir()) == []


def test_a_control_file_does_not_take_over_what_exists(tmp_path):
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(DatasetError, match="already holds something"):
        ControlFile(tmp_path / "notes")
    with pytest.raises(DatasetError, match="cannot be written"):
        ControlFile(tmp_path / "notes" / "control")

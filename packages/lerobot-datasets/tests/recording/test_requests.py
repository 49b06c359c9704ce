"""What keys, buttons and the control file ask for."""

import pytest

from lerobot.core.errors import DatasetError
from lerobot.core.fake.config import FakeTeleoperatorConfig
from lerobot.datasets.recording.control_file import ControlFile
from lerobot.datasets.recording.keyboard import ESCAPE_S, KeyDecoder
from lerobot.datasets.recording.requests import Request, Requests, teleoperator_requests

NEXT, SUCCESS, FAILURE, REDO, STOP = Request


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (b"n", [NEXT]),
        (b"N", [NEXT]),
        (b"r", [REDO]),
        (b"R", [REDO]),
        (b"q", [STOP]),
        (b"Q", [STOP]),
        (b"sF", [SUCCESS, FAILURE]),
        (b"\x1b[C", [NEXT]),
        (b"\x1bOC", [NEXT]),
        (b"\x1b[D", [REDO]),
        (b"\x1bOD", [REDO]),
        (b"\x1b[A\x1b[B\x1b[3~x \t\r", []),
        (b"\x1b\x1b[C", [STOP, NEXT]),
        (b"\x1bn", [STOP, NEXT]),
    ],
)
def test_keys(typed, meant):
    assert KeyDecoder().feed(typed, 0.0) == meant


def test_an_arrow_key_may_arrive_byte_by_byte():
    decoder = KeyDecoder()
    found = [decoder.feed(bytes([byte]), 0.04 * i) for i, byte in enumerate(b"\x1b[D")]
    assert found == [[], [], [REDO]]


def test_escape_alone_stops_after_a_moment():
    decoder = KeyDecoder()
    assert decoder.feed(b"\x1b", 0.0) == []
    assert decoder.feed(b"", ESCAPE_S / 2) == []
    assert decoder.feed(b"", ESCAPE_S * 1.1) == [STOP]
    assert decoder.feed(b"", 9.0) == []


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

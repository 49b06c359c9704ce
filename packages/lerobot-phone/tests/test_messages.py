"""What a page may say, and what is refused."""

import json

import pytest
from web_phone import pose

from lerobot.phone.messages import Lost, PoseMessage, Remark, decode
from lerobot.remote.wire.errors import WireError


def test_what_a_page_says() -> None:
    message = decode(json.dumps(pose(True, 1, 2, 3, scale=0.5, reservedButtonA=True, time=7.5)))
    assert isinstance(message, PoseMessage)
    assert (message.position.tolist(), message.quaternion.tolist()) == ([1, 2, 3], [0, 0, 0, 1])
    assert (message.move, message.scale, message.time_s) == (True, 0.5, 7.5)
    assert message.buttons == {"reservedButtonA": True, "reservedButtonB": False}
    assert decode('{"type": "lost"}') == Lost()
    assert decode('{"type": "log", "data": "text"}') == Remark("text")


def test_only_true_holds_the_clutch() -> None:
    for value in (1, "true", [True], None):
        message = decode(json.dumps(pose(move=value)))  # type: ignore[arg-type]
        assert isinstance(message, PoseMessage)
        assert not message.move


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"\x80\x04\x95", "no JSON"),
        ("[" * 4000, "no JSON"),
        ("[]", "has the type 'None'"),
        ('{"type": "move"}', "has the type 'move'"),
        ('{"type": "pose", "data": 3}', "has the type 'pose'"),
        ('{"type": "pose", "data": {}}', "orientation is a NoneType"),
        (json.dumps(pose(x=float("nan"))), "position.x is nan"),
        (json.dumps(pose(x=float("inf"))), "position.x is inf"),
        (json.dumps(pose(x=1e9)), "the position is"),
        (json.dumps(pose(x=True)), "position.x is True"),
        (json.dumps(pose(orientation={"x": 0, "y": 0, "z": 0, "w": 0})), "an orientation is"),
        (json.dumps(pose(orientation={"x": 0, "y": 0, "z": 0})), "orientation.w is None"),
        (json.dumps(pose(scale=-1)), "a scale is -1"),
        (json.dumps(pose(scale=1000)), "a scale is 1000"),
        (json.dumps(pose(time="now")), "time is now"),
    ],
)
def test_what_is_no_message_is_refused(text: str | bytes, says: str) -> None:
    with pytest.raises(WireError, match=says) as caught:
        decode(text)
    assert "\n" not in caught.value.what

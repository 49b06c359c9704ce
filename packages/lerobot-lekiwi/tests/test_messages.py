"""The messages of huggingface/lerobot: theirs are read, ours are theirs, and nothing else is believed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot.lekiwi.keys import STATE_KEYS
from lerobot.lekiwi.messages import decode_command, decode_observation, encode_command, encode_observation
from lerobot.remote.wire.errors import WireError

GOLDEN = Path(__file__).resolve().parents[4] / "shared/data/golden/hardware/lekiwi"
SHAPES: dict[str, tuple[int, ...]] = {"front": (48, 64, 3), "wrist": (64, 48, 3)}


def recorded(name: str) -> bytes:
    if not GOLDEN.is_dir():
        pytest.skip("the shared captures are not here")
    return (GOLDEN / name).read_bytes()


def test_a_recorded_observation_is_read() -> None:
    frames = [recorded(name) for name in ("observation_header.json", "observation_front.jpg", "observation_wrist.jpg")]
    values = decode_observation(frames, SHAPES)
    assert {key: values[key] for key in STATE_KEYS} == {
        key: value for key, value in json.loads(frames[0]).items() if key != "_cams"
    }
    assert {name: (values[name].shape, str(values[name].dtype)) for name in SHAPES} == {
        name: (shape, "uint8") for name, shape in SHAPES.items()
    }


def test_a_recorded_command_is_read_and_written() -> None:
    frame = recorded("command.json")
    given = json.loads(recorded("client_values.json"))["action_given"]
    assert decode_command(frame) == given
    assert encode_command(given) == frame


def test_an_observation_has_the_bytes_of_the_recorded_header() -> None:
    header = recorded("observation_header.json")
    state = {key: value for key, value in json.loads(header).items() if key != "_cams"}
    pictures = {name: np.zeros(shape, np.uint8) for name, shape in SHAPES.items()}
    assert encode_observation(state | pictures, list(SHAPES))[0] == header


def test_colours_come_through_and_are_swapped_in_the_file() -> None:
    """As theirs: the array goes through an encoder that takes it for blue, green, red."""
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, :, 0] = 255
    frames = encode_observation(dict.fromkeys(STATE_KEYS, 0.0) | {"front": image}, ["front"])
    cv2 = pytest.importorskip("cv2")
    assert abs(int(cv2.imdecode(np.frombuffer(frames[1], np.uint8), cv2.IMREAD_COLOR)[0, 0, 0]) - 255) <= 2
    assert np.abs(decode_observation(frames, {"front": (48, 64, 3)})["front"].astype(int) - image).max() <= 2


@pytest.mark.parametrize(
    "frame",
    [
        *(b"", b"{", b"[1]", b"null", b"3", b"{}", b'{"other": 1}', b"\xff\xfe", b"1" * 400, b"[" * 60_000),
        *(b'{"x.vel": ' + value + b"}" for value in (b"NaN", b"1e999", b'"1"', b"true", b"null", b"9" * 5000)),
    ],
)
def test_what_is_no_command_is_refused(frame: bytes) -> None:
    with pytest.raises(WireError):
        decode_command(frame)


def test_of_a_command_only_finite_numbers_of_known_keys_are_kept() -> None:
    frame = b'{"x.vel": 1, "y.vel": Infinity, "theta.vel": "3", "__class__": 4, "arm_gripper.pos": 1e308}'
    assert decode_command(frame) == {"x.vel": 1.0, "arm_gripper.pos": 1e308}


@given(st.binary(max_size=200))
def test_any_bytes_are_a_command_or_refused(frame: bytes) -> None:
    try:
        command = decode_command(frame)
    except WireError:
        return
    assert set(command) <= set(STATE_KEYS)


def header(**changed: Any) -> bytes:
    return json.dumps({"_cams": ["front"], **dict.fromkeys(STATE_KEYS, 0.0)} | changed).encode()


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "no JSON"),
        ([b"[]"], "is a list"),
        ([header()], "0 pictures for the cameras"),
        ([header(), b"", b""], "2 pictures for the cameras"),
        ([header(_cams=None), b""], "for the cameras None"),
        ([header(**{"x.vel": None}), b""], "x.vel=None"),
        ([header(**{"x.vel": float("nan")}), b""], "x.vel=nan"),
        ([header(_cams=["other"]), b""], "no camera 'front'"),
        ([header(_cams=[{"a": 1}]), b""], "no camera 'front'"),
        ([header(), b""], "cannot be read"),
        ([header(), b"\xff\xd8\xff\xe0" + b"0" * 300], "cannot be read"),
    ],
)
def test_what_is_no_observation_is_refused(frames: list[bytes], message: str) -> None:
    with pytest.raises(WireError, match=message):
        decode_observation(frames, {"front": (48, 64, 3)})


def test_a_picture_of_another_size_is_refused() -> None:
    frames = encode_observation(
        dict.fromkeys(STATE_KEYS, 0.0) | {"front": np.zeros((480, 640, 3), np.uint8)}, ["front"]
    )
    with pytest.raises(WireError, match="480x640"):
        decode_observation(frames, {"front": (48, 64, 3)})

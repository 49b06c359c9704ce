"""Messages: openpi's captures to the byte, every hostile message refused in one line, and pictures."""

import io
import json
import math
import struct
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as arrays
import msgpack
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from lerobot.remote.wire.codec import pack, unpack, unpack_map
from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.pictures import Picture, PictureEncoder

CAPTURES = Path(__file__).resolve().parents[4] / "shared/data/golden/openpi_wire"
needs_captures = pytest.mark.skipif(not CAPTURES.exists(), reason="the captures of openpi's wire are not here")


def pattern(factor: int) -> np.ndarray:
    """A picture of the captures, see their README."""
    return ((np.arange(144) * factor) % 256).astype(np.uint8).reshape(6, 8, 3)


def actions(rows: int, size: int) -> np.ndarray:
    return np.arange(rows * size).reshape(rows, size) / 100


def aloha_cameras() -> dict[str, np.ndarray]:
    names = ["cam_high", "cam_low", "cam_left_wrist", "cam_right_wrist"]
    return {name: pattern(factor).transpose(2, 0, 1) for factor, name in enumerate(names, start=1)}


MESSAGES: dict[str, Any] = {
    "00_s2c_metadata": {
        "policy_name": "golden", "action_horizon": 10, "action_dim": 8, "reset_pose": [0.0, -1.5, 1.5],
    },
    "01_c2s_droid_request": {
        "observation/exterior_image_1_left": pattern(7),
        "observation/wrist_image_left": pattern(11),
        "observation/joint_position": np.linspace(-1, 1, 7),
        "observation/gripper_position": np.array([0.25]),
        "prompt": "pick up the cube",
    },
    "02_s2c_droid_response": {
        "actions": actions(10, 8), "policy_timing": {"infer_ms": 12.5}, "server_timing": {"infer_ms": 20.25},
    },
    "03_c2s_libero_request": {
        "observation/state": np.linspace(0, 0.7, 8).astype(np.float32),
        "observation/image": pattern(5),
        "observation/wrist_image": pattern(3),
        "prompt": "open the drawer",
    },
    "04_s2c_libero_response": {
        "actions": actions(10, 7),
        "policy_timing": {"infer_ms": 12.5},
        "server_timing": {"infer_ms": 20.25, "prev_total_ms": 31.5},
    },
    "05_c2s_aloha_request": {
        "state": np.linspace(-0.7, 0.6, 14), "images": aloha_cameras(), "prompt": "transfer cube",
    },
    "06_s2c_aloha_response": {
        "actions": actions(50, 14),
        "policy_timing": {"infer_ms": 12.5},
        "server_timing": {"infer_ms": 20.25, "prev_total_ms": 31.5},
    },
    "07_c2s_provoking_request": {"prompt": "raise"},
}  # fmt: skip
"""What the README of the captures says that they hold."""


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return (
            isinstance(other, np.ndarray)
            and one.dtype == other.dtype
            and one.shape == other.shape
            and one.tobytes() == other.tobytes()
        )
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and type(one) is type(other)


@needs_captures
@pytest.mark.parametrize("name", MESSAGES)
def test_messages_are_those_of_openpi_to_the_byte(name: str) -> None:
    recorded = (CAPTURES / f"{name}.msgpack").read_bytes()
    assert pack(MESSAGES[name]) == recorded
    assert same(MESSAGES[name], unpack_map(recorded))


VALUES: dict[str, Any] = {
    "float64_scalar": np.float64(1.5), "float32_scalar": np.float32(1.5), "float16_scalar": np.float16(0.5),
    "int64_scalar": np.int64(3), "uint8_scalar": np.uint8(255), "bool_scalar": np.bool_(True),
    "str_scalar": np.str_("ab"), "bytes_scalar": np.bytes_(b"ab"), "uint8_1d": np.array([0, 1], np.uint8),
    "int16_big_endian": np.array([1, 2], ">i2"), "bool_1d": np.array([True, False]), "float64_0d": np.array(1.0),
    "float32_empty": np.zeros((0, 3), np.float32),
    "uint8_fortran": np.asfortranarray(np.arange(6, dtype=np.uint8).reshape(2, 3)),
    "uint8_strided": np.arange(6, dtype=np.uint8)[::2], "unicode_1d": np.array(["ab", "c"]),
    "bytes_1d": np.array([b"ab"]), "timedelta_1d": np.array([1], "m8[s]"), "tuple": (1, 2), "none": None, "str": "é",
    "nested": {"a": np.array([1.0]), "b": [np.array([1], np.int32)]},
    "complex64_1d": np.zeros(2, np.complex64), "object_1d": np.array([None]),
    "structured": np.zeros(1, [("a", "<i4")]), "datetime_us_scalar": np.datetime64(1, "us"),
    "datetime_ns_scalar": np.datetime64(1, "ns"), "set": {1}, "big_int": 2**70,
}  # fmt: skip


@needs_captures
@pytest.mark.parametrize(
    "case", json.loads((CAPTURES / "encoding_cases.json").read_text()) if CAPTURES.exists() else []
)
def test_every_value_is_written_as_openpi_writes_it(case: dict[str, Any]) -> None:
    if "packed_hex" in case and "unpack_error" in case:
        # openpi packs it and cannot read it; we do neither.
        with pytest.raises(WireError):
            unpack(bytes.fromhex(case["packed_hex"]))
        return
    value = VALUES[case["name"]]
    if "pack_error" in case:
        with pytest.raises(WireError):
            pack(value)
        return
    packed = bytes.fromhex(case["packed_hex"])
    assert pack(value) == packed
    found, expected = unpack(packed), case["unpacks_to"]
    assert type(found).__name__ == expected["type"]
    if expected["dtype"]:
        assert found.dtype.str == expected["dtype"]
    if expected["shape"] is not None:
        assert list(found.shape) == expected["shape"]


def test_arrays_belong_to_whoever_unpacked_them() -> None:
    array = unpack(pack(np.zeros(3)))
    array[0] = 1.0


# --- hostile messages ------------------------------------------------------------------------------------------------


def array_map(**changes: Any) -> bytes:
    entries = {b"__ndarray__": True, b"data": b"\0" * 8, b"dtype": "<f4", b"shape": [2]}
    for name, value in changes.items():
        entries[name.encode()] = value
    return msgpack.packb(entries)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xc1",
        b"\x92\x01",
        pack({"a": 1}) + b"\0",
        b"\xdf\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff",
        b"\x81\x01\x02",
        b"\xa1\xff",
        b"\xd4\x05\0",
        b"\x91" * 100_000 + b"\xc0",
        array_map(data=b"\0" * 7),
        array_map(data=b"\0" * 9),
        array_map(data="text"),
        array_map(dtype="|O"),
        array_map(dtype="O"),
        array_map(dtype="<c8"),
        array_map(dtype="<f4,<f4"),
        array_map(dtype="<f5"),
        array_map(dtype="|V8"),
        array_map(dtype=7),
        array_map(dtype="<m8[parsec]"),
        array_map(shape=[-2]),
        array_map(shape=[2, 2**40]),
        array_map(shape=[0, 2**62], data=b""),
        array_map(shape=[1] * 65),
        array_map(shape="2"),
        array_map(shape=[2.0]),
        array_map(dtype="|b1", data=b"\2", shape=[1]),
        array_map(dtype="<U1", data=b"\xff\xff\xff\x7f", shape=[1]),
        msgpack.packb({b"__npgeneric__": True, b"data": [1], b"dtype": "<f4"}),
        msgpack.packb({b"__npgeneric__": True, b"data": 300, b"dtype": "|u1"}),
        msgpack.packb({b"__npgeneric__": True, b"data": 1, b"dtype": "<m8[s]"}),
        msgpack.packb({b"__picture__": "jpeg", b"data": b"", b"dtype": "uint8", b"shape": [4, 4, 3]}),
        msgpack.packb({b"__picture__": "gif", b"data": b"GIF89a", b"dtype": "uint8", b"shape": [4, 4, 3]}),
        msgpack.packb({b"__picture__": "png", b"data": b"", b"dtype": "uint8", b"shape": [10**6, 10**6, 3]}),
    ],
)  # fmt: skip
def test_nonsense_is_refused(message: bytes) -> None:
    with pytest.raises(WireError):
        unpack(message)


def test_a_message_that_is_too_long_is_refused() -> None:
    with pytest.raises(WireError, match="20 bytes"):
        unpack(b"\xc4\x12" + b"\0" * 18, max_bytes=19)


@pytest.mark.parametrize("message", ["text", pack([1]), pack({b"bytes": 1})])
def test_what_is_no_map_of_text_is_refused(message: Any) -> None:
    with pytest.raises(WireError):
        unpack_map(message)


def test_a_map_with_keys_of_text_is_no_array() -> None:
    assert unpack(pack({"__ndarray__": True, "data": b"", "dtype": "|O", "shape": []}))["dtype"] == "|O"


def check_hostile(message: bytes) -> None:
    """Anything may come: it is read, or refused with our error."""
    try:
        unpack(message)
    except WireError as error:
        assert error.what.isprintable()  # noqa: PT017


BASE = pack(
    {"a": np.arange(6, dtype=np.int16).reshape(2, 3), "b": [PictureEncoder("png")(pattern(3))], "c": np.float32(1)}
)


@example((192, b"\n"))
@example((192, b"\x1b["))
@given(st.one_of(st.binary(max_size=200), st.tuples(st.integers(0, len(BASE) - 1), st.binary(min_size=1, max_size=6))))
@settings(max_examples=300)
def test_malformed_messages_are_refused(change: Any) -> None:
    malformed(change)


@pytest.mark.slow
@given(st.one_of(st.binary(max_size=2000), st.tuples(st.integers(0, len(BASE) - 1), st.binary(min_size=1, max_size=9))))
@settings(max_examples=10_000)
def test_ten_thousand_malformed_messages_are_refused(change: Any) -> None:
    malformed(change)


def malformed(change: Any) -> None:
    if isinstance(change, bytes):
        check_hostile(change)
        return
    place, new = change
    check_hostile(BASE[:place] + new + BASE[place + len(new) :])
    check_hostile(BASE[:place] + new + BASE[place:])
    check_hostile(BASE[:place])


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8)
    | arrays.arrays(st.sampled_from(["<f4", "|u1", ">i2", "|b1", "<f8"]), arrays.array_shapes(min_dims=0, max_side=3)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(plain)
@settings(max_examples=200)
def test_what_is_packed_comes_back(value: Any) -> None:
    assert same(value, unpack(pack(value)))


# --- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["png", "raw"])
@pytest.mark.parametrize(("dtype", "channels"), [("uint8", 3), ("uint8", 1), ("uint16", 1)])
def test_exact_pictures_come_back(format_: Any, dtype: str, channels: int) -> None:
    picture = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (5, 7, channels), dtype, endpoint=True)
    assert same(picture, unpack(pack(PictureEncoder(format_)(picture))))


def test_jpeg_is_small_and_close_and_never_of_depth() -> None:
    rows, columns = np.mgrid[:48, :64]
    picture = np.stack([rows * 5, columns * 4, rows + columns], axis=2).astype(np.uint8)
    packed = pack(PictureEncoder("jpeg", 90)(picture))
    assert len(packed) < picture.nbytes / 3
    assert np.abs(unpack(packed).astype(int) - picture).mean() < 3
    depth = np.arange(35, dtype=np.uint16).reshape(5, 7, 1) * 1000
    assert same(depth, unpack(pack(PictureEncoder("jpeg")(depth))))


def test_colours_keep_their_order() -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[:, :, 0] = 255
    found = unpack(pack(PictureEncoder("jpeg")(red)))[8, 8]
    assert found[0] > 250
    assert max(found[1:]) < 5


def test_a_picture_of_another_size_than_it_says_is_refused() -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "png")
    with pytest.raises(WireError, match="64x64"):
        unpack(pack(Picture("png", file.getvalue(), "uint8", (4, 4, 3))))


def test_a_bomb_is_not_unpacked() -> None:
    """A file whose header promises a picture that would fill the memory, and a message that believes it."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header + b"\0\0\0\0"
    assert math.prod((60_000, 60_000)) > 10**9
    with pytest.raises(WireError, match="pixels"):
        unpack(pack(Picture("png", bomb, "uint8", (60_000, 60_000, 3))))

"""Single messages: encodings, images and numbers, against the libraries of the formats' makers and against numpy."""

import base64
import io
import json

import mcap_ros2._dynamic as other
import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot.core.errors import DatasetError
from lerobot.mcap.contract import PartConfig
from lerobot.mcap.log.topic import Topic
from lerobot.mcap.message.cdr import decode, encode
from lerobot.mcap.message.decoder import Decoder
from lerobot.mcap.message.definition import parse_definitions
from lerobot.mcap.message.image import image_of
from lerobot.mcap.message.numbers import numbers_of
from lerobot.mcap.message.path import FieldPath
from lerobot.mcap.message.stamp import stamp_of
from lerobot.mcap.part import make_part

EVERYTHING = """# every kind of field
int8 LARGEST=127
string WORD="a=b"
bool yes
byte raw
int8 a
uint8 b 7
int16 c
uint16 d
int32 e
uint32 f
int64 g
uint64 h
float32 i
float64 j
string k "default"
string<=10 l
bool[] flags
int16[3] three
float64[<=5] few
string[] words
my_pkg/Inner inner
Inner[] inners
Empty empty
===
MSG: my_pkg/Inner
float64 x
uint8[] data
builtin_interfaces/Time stamp
===
MSG: my_pkg/Empty
"""

inner = st.fixed_dictionaries(
    {
        "x": st.floats(allow_nan=False),
        "data": st.binary(max_size=20),
        "stamp": st.fixed_dictionaries({"sec": st.integers(0, 2**31 - 1), "nanosec": st.integers(0, 2**32 - 1)}),
    }
)
text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=10)
values = st.fixed_dictionaries(
    {
        "yes": st.booleans(),
        "raw": st.integers(0, 255),
        "a": st.integers(-128, 127),
        "b": st.integers(0, 255),
        "c": st.integers(-(2**15), 2**15 - 1),
        "d": st.integers(0, 2**16 - 1),
        "e": st.integers(-(2**31), 2**31 - 1),
        "f": st.integers(0, 2**32 - 1),
        "g": st.integers(-(2**63), 2**63 - 1),
        "h": st.integers(0, 2**64 - 1),
        "i": st.floats(width=32, allow_nan=False),
        "j": st.floats(allow_nan=False),
        "k": text,
        "l": text,
        "flags": st.lists(st.booleans(), max_size=5),
        "three": st.lists(st.integers(-(2**15), 2**15 - 1), min_size=3, max_size=3),
        "few": st.lists(st.floats(allow_nan=False), max_size=5),
        "words": st.lists(text, max_size=4),
        "inner": inner,
        "inners": st.lists(inner, max_size=3),
        "empty": st.just({}),
    }
)


def plain(value):
    """Arrays as lists, bytes as bytes."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return value.tobytes() if value.dtype == np.uint8 else value.tolist()
    return [plain(each) for each in value] if isinstance(value, list) else value


@given(values)
def test_what_others_write_is_read_and_the_other_way_round(message):
    name, definitions = parse_definitions("my_pkg/msg/All", EVERYTHING)
    written = other.serialize_dynamic("my_pkg/msg/All", EVERYTHING)["my_pkg/msg/All"](message)
    assert plain(decode(name, definitions, written)) == message
    assert encode(name, definitions, message) == written


def test_big_endian_is_read():
    name, definitions = parse_definitions("a/msg/B", "uint16 x\nfloat64[] y\n")
    data = bytes.fromhex("00000000 0102 0000 00000001 00000000") + np.array([1.5], ">f8").tobytes()
    assert plain(decode(name, definitions, data[:12] + data[16:])) == {"x": 258, "y": [1.5]}


@pytest.mark.parametrize(
    ("definition", "what"),
    [
        ("Self x", "the type a/Self contains itself"),
        ("Nowhere x", "the definition of a/Nowhere is missing"),
        ("float64", "is no field"),
        ("uint8[0] x", "array of nothing"),
        ("uint8 x\nuint8 x", "have the same name"),
        ("uint8 x\n===\nfloat64 y", "not with MSG:"),
    ],
)
def test_a_definition_that_lies(definition, what):
    with pytest.raises(ValueError, match=what):
        parse_definitions("a/msg/Self" if "Self" in definition else "a/msg/B", definition)


RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
DEPTH = np.random.default_rng(1).integers(0, 2**16, (5, 7), np.uint16)


def raw(image, encoding, pad=0, big=0):
    rows = np.ascontiguousarray(image).reshape(image.shape[0], -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, pad)), constant_values=9)
    fields = {"height": 5, "width": 7, "encoding": encoding, "is_bigendian": big, "step": rows.shape[1]}
    return {"header": {}, **fields, "data": rows.tobytes()}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (raw(RGB, "rgb8"), RGB),
        (raw(RGB, "rgb8", pad=3), RGB),
        (raw(RGB[..., ::-1], "bgr8"), RGB),
        (raw(np.dstack([RGB, DEPTH.astype(np.uint8)]), "rgba8"), RGB),
        (raw(np.dstack([RGB[..., ::-1], DEPTH.astype(np.uint8)]), "bgra8", pad=1), RGB),
        (raw(RGB[..., :1], "mono8"), RGB[..., :1]),
        (raw(DEPTH, "16UC1", pad=2), DEPTH[..., None]),
        (raw(DEPTH.astype(">u2"), "16UC1", big=1), DEPTH[..., None]),
    ],
    ids=["rgb", "rgb-step", "bgr", "rgba", "bgra", "mono", "depth", "big"],
)
def test_raw_images(message, expected):
    found = image_of(message)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_depth_in_metres_has_zeros_where_nothing_was_measured():
    metres = DEPTH.astype(np.float32) / 1000
    metres[1, 2], metres[3, 4] = np.nan, np.inf
    expected = metres.copy()
    expected[1, 2] = expected[3, 4] = 0
    np.testing.assert_array_equal(image_of(raw(metres, "32FC1"))[..., 0], expected)


def encoded(image, kind):
    buffer = io.BytesIO()
    PIL.Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


def test_compressed_images():
    png = encoded(RGB, "PNG")
    np.testing.assert_array_equal(image_of({"format": "rgb8; png compressed bgr8", "data": png}), RGB)
    np.testing.assert_array_equal(image_of({"format": "png", "data": base64.b64encode(png).decode()}), RGB)
    depth = encoded(DEPTH, "PNG")
    np.testing.assert_array_equal(image_of({"format": "16UC1; png compressed", "data": depth})[..., 0], DEPTH)
    message = {"format": "16UC1; compressedDepth", "data": bytes(12) + depth}
    np.testing.assert_array_equal(image_of(message)[..., 0], DEPTH)


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (raw(RGB, "yuv422"), "its encoding is 'yuv422'; these can be read: rgb8"),
        ({**raw(RGB, "rgb8"), "step": 20}, "it has 105 bytes in rows of 20 for 7 x 5 pixels of rgb8"),
        ({**raw(RGB, "rgb8"), "height": 2**31}, "it has 105 bytes in rows of 21"),
        ({**raw(RGB, "rgb8"), "width": 0}, "for 0 x 5 pixels"),
        ({"format": "jpeg", "data": b"\xff\xd8nothing"}, "its data is no readable PNG or JPEG image"),
        ({"format": "h264", "data": b""}, "its format is 'h264'; jpeg and png can be read"),
        ({"format": "32FC1; compressedDepth", "data": b""}, "depth can be read as 16UC1 in PNG"),
        ({"x": 1}, "the fields x, which are no image's"),
        (7, "the fields none"),
    ],
)
def test_images_that_cannot_be_read(message, what):
    with pytest.raises(ValueError, match=what):
        image_of(message)


@pytest.mark.parametrize(
    ("message", "path", "names", "expected"),
    [
        ({"name": ["b", "a"], "position": [1, 2]}, "position", ("a", "b"), [2, 1]),
        ({"data": [3.5, 4.5]}, "data", ("x", "y"), [3.5, 4.5]),
        ({"data": 3}, "data", (), [3]),
        ({"p": [{"q": {"w": 1, "x": 2, "y": 3, "z": 4}}]}, "p[0].q", ("x", "y", "z", "w"), [2, 3, 4, 1]),
        ({"joint_names": ["b", "a"], "points": [{"positions": [1, 2]}]}, "points[0].positions", ("b",), [1]),
    ],
)
def test_numbers_by_path_and_name(message, path, names, expected):
    np.testing.assert_array_equal(numbers_of(message, FieldPath(path), names), expected)


@pytest.mark.parametrize(
    ("message", "path", "names", "what"),
    [
        ({"name": ["a"], "position": [1, 2]}, "position", ("a",), "2 values for the 1 names of the message"),
        ({"name": ["a", "b"], "effort": []}, "effort", ("a",), "0 values for the 2 names"),
        ({"name": ["a"], "position": [1]}, "position", ("c",), "it names a, and not c"),
        ({"data": [1, 2]}, "data", ("a",), "2 values for the names a"),
        ({"data": "1"}, "data", (), "no list of numbers"),
        ({"data": [2**60]}, "data", (), "up to 2\\^53 exactly"),
        ({"data": [1]}, "data[3]", (), "element 3 of 1 elements"),
        ({"data": [1]}, "date", (), "no field 'date' of date, only data"),
    ],
)
def test_numbers_that_are_not_there(message, path, names, what):
    with pytest.raises(ValueError, match=what):
        numbers_of(message, FieldPath(path), names)


@pytest.mark.parametrize("stamp", [{"sec": 3, "nanosec": 7}, {"sec": 3, "nsec": 7}, {"seconds": 3, "nanos": 7}])
def test_stamps(stamp):
    assert stamp_of(stamp) == 3_000_000_007


@pytest.mark.parametrize(
    ("stamp", "what"),
    [
        ({"sec": 0, "nanosec": 0}, "its stamp is 0"),
        ({"sec": float("nan"), "nsec": 0}, "not whole seconds"),
        ({"sec": -1, "nanosec": 0}, "no time"),
        ({"sec": 2**40, "nanosec": 0}, "no time"),
        ({"sec": 1, "nanosec": 10**9}, "no time"),
        (1.5, "not seconds and nanoseconds"),
    ],
)
def test_stamps_that_are_none(stamp, what):
    with pytest.raises(ValueError, match=what):
        stamp_of(stamp)


def test_lines_of_angles_and_quaternions():
    angle = PartConfig(stream="s", field="data", kind="angle", unit="deg", store_as="rad")
    part = make_part("observation.state", angle, "linear", {"data": 350.0})
    first, second = part.value({"data": 350.0}), part.value({"data": 30.0})
    np.testing.assert_allclose(part.between(first, second, 0.25), np.deg2rad([360.0]))
    turn = PartConfig(stream="s", field="q", kind="quaternion", names=("x", "y", "z", "w"))
    quaternions = [
        {"q": {"x": 0.0, "y": 0.0, "z": np.sin(a / 2), "w": np.cos(a / 2)}} for a in np.deg2rad([10.0, 110.0])
    ]
    part = make_part("observation.state", turn, "linear", quaternions[0])
    ends = [part.value(each) for each in quaternions]
    expected = [0, 0, np.sin(np.deg2rad(30) / 2), np.cos(np.deg2rad(30) / 2)]
    np.testing.assert_allclose(part.between(ends[0], ends[1], 0.2), expected, atol=1e-12)
    np.testing.assert_allclose(part.between(ends[0], -ends[1], 0.2), expected, atol=1e-12)


def test_json_and_protobuf():
    from google.protobuf import descriptor_pb2, timestamp_pb2

    joined = descriptor_pb2.FileDescriptorSet()
    file = descriptor_pb2.FileDescriptorProto(name="me.proto", package="me", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    kind = file.message_type.add(name="State")
    kind.field.add(name="timestamp", number=1, type=11, label=1, type_name=".google.protobuf.Timestamp")
    kind.field.add(name="values", number=2, type=1, label=3)
    kind.field.add(name="next", number=3, type=11, label=1, type_name=".me.State")
    kind.field.add(name="count", number=4, type=5, label=1)
    # The one that needs the other stands first, as recorders may write it.
    joined.file.append(file)
    timestamp_pb2.DESCRIPTOR.CopyToProto(joined.file.add())
    from google.protobuf import descriptor_pool, message_factory

    pool = descriptor_pool.DescriptorPool()
    for each in reversed(joined.file):
        pool.Add(each)
    state = message_factory.GetMessageClass(pool.FindMessageTypeByName("me.State"))(values=[1.5, 2.5])
    state.timestamp.seconds = 5
    state.next.count = 3
    read = Decoder(Topic("/s", "me.State", "protobuf", "protobuf", joined.SerializeToString()))
    message = read(memoryview(state.SerializeToString()))
    assert message == {
        "timestamp": {"seconds": 5, "nanos": 0},
        "values": [1.5, 2.5],
        "next": {"values": [], "count": 3},
        "count": 0,
    }
    assert stamp_of(message["timestamp"]) == 5 * 10**9
    with pytest.raises(ValueError, match="no such message"):
        read(memoryview(b"\xff\xff"))
    document = {"timestamp": {"sec": 1, "nsec": 2}, "x": [1]}
    assert Decoder(Topic("/j", "", "json", "jsonschema", b"{}"))(memoryview(json.dumps(document).encode())) == document


@pytest.mark.parametrize(
    ("topic", "what"),
    [
        (Topic("/t", "a/msg/B", "cdr", "ros2idl", b""), "/t are cdr with a type in ros2idl, which cannot be read"),
        (Topic("/t", "", "flatbuffer", "", b""), "flatbuffer with a type in no form"),
        (Topic("/t", "a/msg/B", "cdr", "ros2msg", b"\xff"), "the type a/msg/B of /t cannot be read"),
        (Topic("/t", "a.B", "protobuf", "protobuf", b"\xff\xff"), "its definition is no set of files"),
        (Topic("/t", "a.B", "protobuf", "protobuf", b""), "the type a.B of /t cannot be read"),
    ],
)
def test_topics_that_cannot_be_read(topic, what):
    with pytest.raises(DatasetError, match=what):
        Decoder(topic)

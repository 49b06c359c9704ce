"""Logs that are cut off, damaged or made to harm: refused in a line that says where, or read as they were."""

import contextlib
import struct
import tracemalloc

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Header, Message, Schema
from mcap.writer import MCAP0_MAGIC, CompressionType, Writer

from lerobot.core.errors import DatasetError, LeRobotError
from lerobot.mcap.config import McapConfig
from lerobot.mcap.contract import Contract
from lerobot.mcap.inspection.proposal import propose
from lerobot.mcap.inspection.survey import survey
from lerobot.mcap.log.errors import reading_log
from lerobot.mcap.log.log import Log
from lerobot.mcap.log.topic import Topic
from lerobot.mcap.message.cdr import decode
from lerobot.mcap.message.decoder import Decoder
from lerobot.mcap.message.definition import parse_definitions

T0 = 1_700_000_000 * 10**9

CONTRACT = {
    "fps": 50,
    "task": "t",
    "on_gap": "cut",
    "streams": {
        "joints": {"topic": "/joint_states", "clock": "header", "align": "nearest", "tolerance_ms": 30},
        "cam": {"topic": "/cam", "clock": "header", "align": "hold", "tolerance_ms": 300},
    },
    "features": {
        "observation.state": [{"stream": "joints", "field": "position", "names": ["a", "b"]}],
        "observation.images.cam": [{"stream": "cam"}],
    },
}


@pytest.fixture(params=["zstd", "lz4", "none"])
def log(request, tmp_path, kit):
    """A log of several chunks."""
    compression = {"zstd": CompressionType.ZSTD, "lz4": CompressionType.LZ4, "none": CompressionType.NONE}
    path = tmp_path / "log.mcap"
    rng = np.random.default_rng(0)
    with kit.LogWriter(path, chunk_size=2000, compression=compression[request.param]) as writer:
        for i in range(50):
            writer.joints("/joint_states", T0 + i * 20_000_000, ["b", "a"], rng.normal(size=2).tolist())
            if i % 10 == 0:
                writer.image("/cam", T0 + i * 20_000_000, rng.integers(0, 256, (8, 8, 3), np.uint8), "rgb8")
    return path


def frames(path, contract=CONTRACT):
    """Every frame of a log, as bytes; how much memory it took at most is not looked at here."""
    source = McapConfig(path=path, contract=Contract.model_validate(contract)).build()
    try:
        names = [field.name for field in source.fields]
        return [
            {
                name: value if isinstance(value, str | None) else np.asarray(value).tobytes()
                for name, value in row.items()
            }
            for episode in range(len(source.episodes))
            for row in source.frames(episode, names)
        ]
    finally:
        source.close()


def one_line(error):
    assert "\n" not in error.what, error.what
    return error.what


def test_a_log_that_was_cut_off_is_read_up_to_there(log, tmp_path, caplog):
    whole, content = frames(log), log.read_bytes()
    cut = tmp_path / "cut.mcap"
    read, told = 0, []
    for length in [*range(0, 60, 7), *np.linspace(60, len(content) - 1, 40).astype(int).tolist()]:
        cut.write_bytes(content[:length])
        caplog.clear()
        try:
            found = frames(cut)
        except LeRobotError as error:
            told.append(one_line(error))
            continue
        read += 1
        assert found == whole[: len(found)]
        # Of the last bytes, which only say that it is an MCAP file, nobody misses any.
        assert "it is read up to there" in caplog.text or length > len(content) - len(MCAP0_MAGIC)
    assert read > 5
    assert all(str(cut) in line for line in told)


def flipped(content, rng):
    damaged = bytearray(content)
    for place in rng.integers(0, len(content), rng.choice([1, 2, 10])):
        damaged[place] ^= 1 << rng.integers(8)
    return damaged


@pytest.mark.parametrize("times", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_flipped_bit_is_refused_or_changes_nothing(log, tmp_path, caplog, times):
    whole, content = frames(log), log.read_bytes()
    damaged, rng = tmp_path / "damaged.mcap", np.random.default_rng(1)
    refused = cut = 0
    for _ in range(times):
        damaged.write_bytes(flipped(content, rng))
        caplog.clear()
        try:
            found = frames(damaged)
            # Bits of a length and of the end together look like a log that was cut off.
            is_cut = "it is read up to there" in caplog.text
            assert found == (whole[: len(found)] if is_cut else whole)
            cut += is_cut
        except LeRobotError as error:
            one_line(error)
            refused += 1
        with contextlib.closing(Log(damaged)) as opened:
            try:
                propose(survey([opened]))
            except LeRobotError as error:
                one_line(error)
    assert refused > times / 2
    assert cut <= times / 50


def records(*each):
    """A file of records without an end, as a recorder that crashed leaves it."""
    builder = RecordBuilder()
    for record in each:
        record.write(builder)
    return MCAP0_MAGIC + builder.end()


def chunk(content, compression="", size=None, crc=0, packed=None):
    return Chunk(
        compression=compression,
        data=content if packed is None else packed,
        message_start_time=0,
        message_end_time=1,
        uncompressed_crc=crc,
        uncompressed_size=len(content) if size is None else size,
    )


BOMB = zstandard.ZstdCompressor().compress(bytes(2**24))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "it is empty"),
        (b"PK\3\4 no log at all", "it does not begin as an MCAP file does"),
        (MCAP0_MAGIC + struct.pack("<BQ", Opcode.CHUNK, 2**32) + MCAP0_MAGIC, "goes beyond the end of the file"),
        (records(chunk(bytes(50), size=2**40)), "it unpacks to 1099511627776 bytes|says that it unpacks to"),
        (records(chunk(b"", "zstd", size=100, packed=BOMB)), "it unpacks to more bytes, not to 100"),
        (records(chunk(b"", "zstd", size=2**30, packed=BOMB)), "says that it unpacks to 1073741824 bytes"),
        (records(chunk(b"", "snappy", size=1)), "its compression is 'snappy'"),
        (records(chunk(bytes(40), crc=7)), "its checksum differs"),
        (records(chunk(bytes(40), "zstd")), "cannot be read"),
        (records(chunk(struct.pack("<BQ", 5, 2**40))), "has 1099511627776 bytes, which the chunk has not"),
        (records(Header("ros2", ""), Message(7, 0, b"", 0, 0)), "a message is of channel 7, which nothing describes"),
        (records(Channel(1, "/t", "cdr", {}, 5)), "/t is of schema 5, which is not in the file before it"),
        (records(Channel(1, "/t", "json", {}, 0), Channel(1, "/u", "json", {}, 0)), "channel 1 is /t and /u"),
        (records(Channel(1, "/t", "json", {}, 0), Message(1, 2**64 - 1, b"", 0, 0)), "which is no time"),
    ],
)
def test_files_that_lie(tmp_path, content, what):
    path = tmp_path / "log.mcap"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match=what) as refused:
            frames(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(path) in one_line(refused.value)
    assert peak < 2**25


UUIDS = "a/Uuid[] goals\n===\nMSG: a/Uuid\nuint8[16] uuid\n"


@pytest.mark.parametrize(
    ("definition", "body"),
    [
        (UUIDS, "ffffffff"),
        ("uint8[] data", "ffffffff"),
        ("float64[] data", "ffffffff"),
        ("string data", "ffffffff"),
        ("string[] data", "ffffffff"),
        ("uint8[4000000000] data", "00"),
        ("a/Empty[] data\n===\nMSG: a/Empty\n", "00e1f505" + "00" * 2_000_000),
    ],
    ids=["uuids", "bytes", "numbers", "text", "texts", "fixed", "empty"],
)
def test_a_length_of_four_gigabytes_takes_no_memory(definition, body):
    name, definitions = parse_definitions("a/msg/Status", definition)
    data = bytes.fromhex("00010000" + body)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"."):
            decode(name, definitions, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**20


STATUS = "string name\nfloat64[] numbers\na/Uuid[] goals\nuint8[3] three\nbool last\n===\nMSG: a/Uuid\nuint8[16] uuid\n"
TOPICS = [
    Topic("/cdr", "a/msg/Status", "cdr", "ros2msg", STATUS.encode()),
    Topic("/json", "", "json", "", b""),
]
VALID = [
    bytes.fromhex("00010000 03000000 6162 00 00 02000000 00000000") + bytes(16) + bytes.fromhex("01000000") + bytes(20),
    b'{"stamp": {"sec": 1, "nsec": 2}, "values": [1.5, 2], "name": "x"}',
]


def mutated(valid):
    """Bytes that are nearly a message, and bytes that are none."""
    cut = st.integers(0, len(valid)).map(lambda end: valid[:end])
    changes = st.lists(st.tuples(st.integers(0, len(valid) - 1), st.integers(0, 255)), min_size=1, max_size=6)

    def changed(pairs):
        data = bytearray(valid)
        for place, value in pairs:
            data[place] = value
        return bytes(data)

    long = st.integers(0, len(valid) - 4).map(lambda at: valid[:at] + b"\xff\xff\xff\xff" + valid[at + 4 :])
    return st.one_of(cut, changes.map(changed), long, st.binary(max_size=80))


def read_or_refuse(topic, data):
    with reading_log("a message"):
        return Decoder(topic)(memoryview(data))


@pytest.mark.parametrize("examples", [300, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("topic", "valid"), list(zip(TOPICS, VALID, strict=True)), ids=["cdr", "json"])
def test_malformed_messages(topic, valid, examples):
    assert read_or_refuse(topic, valid)

    @given(mutated(valid))
    @settings(max_examples=examples)
    def each(data):
        try:
            read_or_refuse(topic, data)
        except DatasetError as error:
            one_line(error)

    each()


@given(st.text(st.sampled_from("ab_/ \n[]<=>0129#=MSG:floatuint8string"), max_size=200))
@settings(max_examples=300)
def test_definitions_of_any_text(text):
    try:
        parse_definitions("a/msg/B", text)
    except ValueError as error:
        one_line(DatasetError(str(error)))


def test_nested_json_is_refused(tmp_path):
    deep = b"[" * 100_000
    path = tmp_path / "log.mcap"
    path.write_bytes(records(Channel(1, "/joint_states", "json", {}, 0), Message(1, 5, deep, 5, 0)))
    with pytest.raises(DatasetError, match="message 0 of /joint_states cannot be read") as refused:
        frames(path)
    one_line(refused.value)


def test_a_schema_that_lies_about_its_messages(tmp_path):
    """A text where the type says numbers: the message ends early, and says which one it was."""
    path = tmp_path / "log.mcap"
    schema = Schema(
        1,
        b"std_msgs/Header header\nstring[] name\nfloat64[] position\n===\nMSG: std_msgs/Header\n"
        b"builtin_interfaces/Time stamp\nstring frame_id\n",
        "ros2msg",
        "sensor_msgs/msg/JointState",
    )
    data = bytes.fromhex("0001000005000000") + b"hello"
    path.write_bytes(records(schema, Channel(1, "/joint_states", "cdr", {}, 1), Message(1, 5, data, 5, 0)))
    with pytest.raises(DatasetError, match=r"message 0 of /joint_states cannot be read: it ends \d+ bytes early"):
        frames(path)


def test_chunks_without_checksums_and_messages_outside_of_chunks_are_read(tmp_path, kit):
    for number, options in enumerate(({"enable_crcs": False}, {"use_chunking": False})):
        path = tmp_path / f"{number}.mcap"
        with path.open("wb") as file:
            writer = Writer(file, **options)
            writer.start()
            channel = writer.register_channel("/v", "json", 0)
            for i in range(10):
                writer.add_message(channel, T0 + i * 10**8, b'{"x": %d}' % i, T0 + i * 10**8)
            writer.finish()
        contract = {
            "fps": 10,
            "task": "t",
            "on_gap": "refuse",
            "streams": {"v": {"topic": "/v", "clock": "log", "align": "hold", "tolerance_ms": 1}},
            "features": {"observation.state": [{"stream": "v", "field": "x", "names": ["x"]}]},
        }
        found = [np.frombuffer(row["observation.state/v.x"])[0] for row in frames(path, contract)]
        assert found == list(range(10))

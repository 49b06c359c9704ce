"""ROS 2 bags in sqlite3: their tables as rosbag2 makes them, their messages as the makers of MCAP write them."""

import sqlite3

import mcap_ros2._dynamic as other
import numpy as np
import pytest

from lerobot.core.errors import DatasetError
from lerobot.mcap.config import McapConfig
from lerobot.mcap.contract import Contract
from lerobot.mcap.log import sqlite_file

T0 = 1_700_000_000 * 10**9
TABLES = """
CREATE TABLE schema(schema_version INTEGER PRIMARY KEY, ros_distro TEXT NOT NULL);
CREATE TABLE metadata(id INTEGER PRIMARY KEY, metadata_version INTEGER NOT NULL, metadata TEXT NOT NULL);
CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, serialization_format TEXT NOT NULL,
  offered_qos_profiles TEXT NOT NULL, type_description_hash TEXT NOT NULL);
CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, timestamp INTEGER NOT NULL,
  data BLOB NOT NULL);
CREATE INDEX timestamp_idx ON messages (timestamp ASC);
"""
DEFINITIONS = """
CREATE TABLE message_definitions(id INTEGER PRIMARY KEY, topic_type TEXT NOT NULL, encoding TEXT NOT NULL,
  encoded_message_definition TEXT NOT NULL, type_description_hash TEXT NOT NULL);
"""
JOINTS = "sensor_msgs/msg/JointState"
CONTRACT = Contract.model_validate(
    {
        "fps": 20,
        "task": "t",
        "on_gap": "refuse",
        "streams": {"s": {"topic": "/joint_states", "clock": "header", "align": "nearest", "tolerance_ms": 1}},
        "features": {"observation.state": [{"stream": "s", "field": "position", "names": ["a", "b"]}]},
    }
)


def write(path, kit, *, with_types, kind=JOINTS):
    definition = kit.TYPES[JOINTS]
    encode = other.serialize_dynamic(JOINTS, definition)[JOINTS]
    database = sqlite3.connect(path)
    database.executescript(TABLES + (DEFINITIONS if with_types else ""))
    database.execute("INSERT INTO topics VALUES (1, '/joint_states', ?, 'cdr', '', '')", (kind,))
    if with_types:
        database.execute("INSERT INTO message_definitions VALUES (1, ?, 'ros2msg', ?, '')", (kind, definition))
    for i in range(6):
        stamp = T0 + i * 50_000_000
        message = {"header": kit.header(stamp), "name": ["b", "a"], "position": [i / 7, 2.0 * i]}
        data = encode({**message, "velocity": [], "effort": []})
        database.execute("INSERT INTO messages VALUES (?, 1, ?, ?)", (i + 1, stamp + 1_000_000, data))
    database.commit()
    return database


def states(path):
    source = McapConfig(path=path, contract=CONTRACT).build()
    try:
        return np.stack(
            [row["observation.state/s.position"] for row in source.frames(0, ["observation.state/s.position"])]
        )
    finally:
        source.close()


EXPECTED = [[2.0 * i, i / 7] for i in range(6)]


@pytest.mark.parametrize("with_types", [True, False], ids=["types", "before-iron"])
def test_values_by_name(tmp_path, kit, with_types):
    write(tmp_path / "a.db3", kit, with_types=with_types).close()
    before = sorted(tmp_path.iterdir())
    np.testing.assert_array_equal(states(tmp_path / "a.db3"), EXPECTED)
    assert sorted(tmp_path.iterdir()) == before


def test_messages_that_a_crash_left_beside_the_file_are_read(tmp_path, kit):
    database = write(tmp_path / "a.db3", kit, with_types=True)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("DELETE FROM messages WHERE id = 6")
    database.commit()
    np.testing.assert_array_equal(states(tmp_path / "a.db3"), EXPECTED[:5])
    database.close()


def test_a_type_that_nobody_knows(tmp_path, kit):
    write(tmp_path / "a.db3", kit, with_types=False, kind="my_msgs/msg/State").close()
    with pytest.raises(DatasetError, match="messages of /joint_states are cdr with a type in no form"):
        states(tmp_path / "a.db3")


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE messages SET topic_id = 7", "message 1 is of topic 7, which is not in the file"),
        ("UPDATE messages SET timestamp = 'soon'", "message 1 has the time 'soon'"),
        ("UPDATE messages SET timestamp = -1", "message 1 has the time -1"),
        ("UPDATE messages SET data = 7", "int as data"),
        ("UPDATE messages SET data = zeroblob(200000)", "too big"),
        ("DROP TABLE messages", "no tables of topics and messages"),
        ("DROP TABLE messages; CREATE VIEW messages AS SELECT 1", "no tables of topics and messages"),
    ],
)
def test_databases_that_lie(tmp_path, kit, monkeypatch, statement, what):
    monkeypatch.setattr(sqlite_file, "LARGEST", 100_000)
    database = write(tmp_path / "a.db3", kit, with_types=True)
    database.executescript(statement)
    database.close()
    with pytest.raises(DatasetError, match=what) as refused:
        states(tmp_path / "a.db3")
    assert "\n" not in refused.value.what


def test_damaged_files_are_refused(tmp_path, kit):
    write(tmp_path / "a.db3", kit, with_types=True).close()
    content, rng = (tmp_path / "a.db3").read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), 30):
            damaged[place] = rng.integers(256)
        (tmp_path / "b.db3").write_bytes(damaged[: rng.integers(1, len(content))] if rng.random() < 0.3 else damaged)
        try:
            states(tmp_path / "b.db3")
        except DatasetError as error:
            told = error.what
            continue
    assert str(tmp_path / "b.db3") in told

"""TFRecord files made byte by byte from the published formats; no library that the importer uses writes them.

Records: https://www.tensorflow.org/tutorials/load_data/tfrecord. CRC-32C: RFC 3720, appendix B.4 has the test values.
Messages: https://protobuf.dev/programming-guides/encoding, with the field numbers of tensorflow's example.proto.
"""

import contextlib
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats.files import SourceFile
from lerobot.dataset_tools.formats.tfrecord import RecordFile, masked_crc, parse_example


def crc32c(data):
    """Bit by bit, polynomial 0x1EDC6F41 reversed."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(data):
    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def varint(number):
    number &= 2**64 - 1
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def field(number, data):
    """A length-delimited field."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def feature(values):
    if isinstance(values, list):
        return field(1, b"".join(field(1, value) for value in values))
    values = np.asarray(values)
    if values.dtype.kind == "f":
        return field(2, field(1, values.astype("<f4").tobytes()))
    return field(3, field(1, b"".join(varint(int(value)) for value in values.ravel())))


def example(features):
    entries = (field(1, field(1, name.encode()) + field(2, feature(values))) for name, values in features.items())
    return field(1, b"".join(entries))


def png(image):
    buffer = io.BytesIO()
    PIL.Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def tensor(dtype, *shape):
    return {"tensor": {"shape": {"dimensions": [str(size) for size in shape]}, "dtype": dtype, "encoding": "none"}}


def group(features):
    return {"featuresDict": {"features": features}}


STEP = {
    "observation": group(
        {
            "image": {"image": {"shape": {"dimensions": ["-1", "-1", "3"]}, "dtype": "uint8", "encodingFormat": "png"}},
            "state": tensor("float32", "4"),
            "gripper": tensor("int64"),
            "natural_language_embedding": tensor("float32", "512"),
        }
    ),
    "action": group({"world_vector": tensor("float32", "3"), "open": tensor("float32")}),
    "reward": tensor("float32"),
    "is_first": tensor("bool"),
    "is_last": tensor("bool"),
    "language_instruction": {"text": {}},
}


def episode(rng, length, instruction=b"pick it up"):
    step = np.arange(length)
    return {
        "steps/observation/image": [rng.integers(0, 256, (16, 24, 3), "u1") for _ in step],
        "steps/observation/state": rng.normal(size=(length, 4)).astype("f4"),
        "steps/observation/gripper": step - 1,
        "steps/action/world_vector": rng.normal(size=(length, 3)).astype("f4"),
        "steps/action/open": rng.normal(size=length).astype("f4"),
        "steps/reward": step.astype("f4"),
        "steps/is_first": step == 0,
        "steps/is_last": step == length - 1,
        "steps/language_instruction": [instruction] * length,
        "episode_metadata/file_path": [b"raw/0.h5"],
    }


def encoded(values):
    return example({k: [png(x) for x in v] if k.endswith("image") else v for k, v in values.items()})


def write(folder, lengths=(3, 2, 4)):
    """Three episodes in two shards of the training split and one."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    episodes = [episode(rng, length, f"task {i}".encode()) for i, length in enumerate(lengths)]
    parts = {"train.tfrecord-00000-of-00002": episodes[:2], "train.tfrecord-00001-of-00002": episodes[2:]}
    for name, part in parts.items():
        (folder / f"bridge-{name}").write_bytes(b"".join(record(encoded(values)) for values in part))
    description = group({"steps": {"sequence": {"feature": group(STEP), "length": "-1"}}})
    (folder / "features.json").write_text(json.dumps(description))
    return episodes


def test_the_checksum_of_the_standard():
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_checksums_equal_those_computed_bit_by_bit(data):
    assert struct.pack("<I", masked_crc(data)) == masked(data)


@settings(deadline=None)
@given(
    st.lists(st.integers(-(2**63), 2**63 - 1)), st.lists(st.floats(width=32, allow_nan=False)), st.lists(st.binary())
)
def test_messages_survive(integers, floats, texts):
    features = {"i": np.array(integers, np.int64), "f": np.array(floats, np.float32), "b": texts}
    found = parse_example(example(features), "")
    assert list(found["i"]) == integers
    assert list(found["f"]) == floats
    assert list(found["b"]) == texts


def test_every_value_lands_where_it_belongs(tmp_path, kit):
    episodes = write(tmp_path / "0.1.0")
    kit.convert("rlds", tmp_path / "0.1.0", tmp_path / "set", task=None)
    found = kit.read(tmp_path / "set")
    assert found.lengths == [3, 2, 4]
    assert found.tasks == ["task 0"] * 3 + ["task 1"] * 2 + ["task 2"] * 4

    def joined(key):
        return np.concatenate([np.asarray(values[f"steps/{key}"]) for values in episodes])

    np.testing.assert_array_equal(found.columns["observation.images.image"], joined("observation/image"))
    state = np.column_stack([joined("observation/state"), joined("observation/gripper")])
    np.testing.assert_array_equal(found.columns["observation.state"], state.astype("f4"))
    action = np.column_stack([joined("action/world_vector"), joined("action/open")])
    np.testing.assert_array_equal(found.columns["action"], action)
    np.testing.assert_array_equal(found.columns["next.reward"], joined("reward"))
    np.testing.assert_array_equal(found.columns["next.done"], joined("is_last"))
    assert found.features["action"]["names"] == ["world_vector_0", "world_vector_1", "world_vector_2", "open"]


def test_one_shard_and_one_split(tmp_path, kit):
    write(tmp_path / "in")
    kit.convert("rlds", tmp_path / "in/bridge-train.tfrecord-00001-of-00002", tmp_path / "one")
    assert kit.read(tmp_path / "one").lengths == [4]
    kit.convert("rlds", tmp_path / "in", tmp_path / "all", source_options={"split": "train"})
    assert kit.read(tmp_path / "all").lengths == [3, 2, 4]
    with pytest.raises(DatasetError, match="no split 'val'"):
        kit.convert("rlds", tmp_path / "in", tmp_path / "none", source_options={"split": "val"})


SHARD = "bridge-train.tfrecord-00001-of-00002"


def altered_data(folder):
    content = bytearray((folder / SHARD).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / SHARD).write_bytes(content)


def ragged(folder):
    values = episode(np.random.default_rng(0), 3)
    values["steps/reward"] = np.zeros(2, "f4")
    (folder / SHARD).write_bytes(record(encoded(values)))


def lacking(folder):
    values = episode(np.random.default_rng(0), 3)
    del values["steps/action/open"]
    (folder / SHARD).write_bytes(record(encoded(values)))


def of_another_size(folder):
    values = episode(np.random.default_rng(0), 3)
    values["steps/observation/image"][2] = np.zeros((8, 8, 3), "u1")
    (folder / SHARD).write_bytes(record(encoded(values)))


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (altered_data, "is damaged: its checksum differs"),
        (ragged, r"reward has 2 steps\n  expected: 3"),
        (lacking, "lacks action/open"),
        (of_another_size, r"observation/image' has shape \(8, 8, 3\)\n  expected: \(16, 24, 3\)"),
        (lambda folder: (folder / SHARD).write_bytes(record(b"\x0a\xff")), "is no tf.train.Example"),
    ],
)
def test_a_damaged_episode_is_refused_by_name(tmp_path, kit, damage, what):
    write(tmp_path / "in")
    damage(tmp_path / "in")
    with pytest.raises(DatasetError, match=what) as caught:
        kit.convert("rlds", tmp_path / "in", tmp_path / "set")
    assert "episode 2 (" in str(caught.value)
    assert kit.read(tmp_path / "set").lengths == [3, 2]


def with_lengths(folder, *lengths):
    split = {"name": "train", "shardLengths": [str(length) for length in lengths]}
    (folder / "dataset_info.json").write_text(json.dumps({"name": "bridge", "splits": [split]}))


def test_where_the_lengths_are_said_every_file_is_opened_once(tmp_path, kit, monkeypatch):
    write(tmp_path / "in")
    with_lengths(tmp_path / "in", 2, 1)
    opened = []
    original = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, *args, **more: opened.append(self.name) or original(self, *args, **more)
    )
    with contextlib.closing(kit.open_source("rlds", tmp_path / "in")) as source:
        assert [(len(group.files), group.episodes) for group in source.groups] == [(1, range(2)), (1, range(2, 3))]
        for episode in range(3):
            for names in (["reward"], ["observation/image"]):
                list(source.frames(episode, names))
    assert sorted(name for name in opened if "tfrecord" in name) == [
        "bridge-train.tfrecord-00000-of-00002",
        "bridge-train.tfrecord-00001-of-00002",
    ]


@pytest.mark.parametrize(
    ("lengths", "what"),
    [((1, 1), "holds more than the 1 episodes that dataset_info.json says"), ((2, 2), "none is number 1")],
)
def test_lengths_that_are_not_those_of_the_files(tmp_path, kit, lengths, what):
    write(tmp_path / "in")
    with_lengths(tmp_path / "in", *lengths)
    with pytest.raises(DatasetError, match=what):
        kit.convert("rlds", tmp_path / "in", tmp_path / "set")


def test_values_of_the_episode_stand_in_each_frame_where_they_are_asked_for(tmp_path, kit):
    write(tmp_path / "in")
    description = json.loads((tmp_path / "in/features.json").read_text())
    description["featuresDict"]["features"]["episode_metadata"] = group({"file_path": {"text": {}}})
    (tmp_path / "in/features.json").write_text(json.dumps(description))
    kit.convert("rlds", tmp_path / "in", tmp_path / "set", overrides={"episode_metadata/file_path": "origin"})
    assert kit.read(tmp_path / "set").columns["origin"] == ["raw/0.h5"] * 9


def test_numbers_that_are_stored_as_compressed_bytes(tmp_path, kit):
    write(tmp_path / "in")
    values = episode(np.random.default_rng(0), 3)
    pose = np.arange(12, dtype="<f4").reshape(3, 4)
    values["steps/observation/state"] = [zlib.compress(row.tobytes()) for row in pose]
    (tmp_path / "in" / SHARD).write_bytes(record(encoded(values)))
    description = json.loads((tmp_path / "in/features.json").read_text())
    step = description["featuresDict"]["features"]["steps"]["sequence"]["feature"]["featuresDict"]["features"]
    step["observation"]["featuresDict"]["features"]["state"]["tensor"]["encoding"] = "zlib"
    (tmp_path / "in/features.json").write_text(json.dumps(description))
    kit.convert("rlds", tmp_path / "in" / SHARD, tmp_path / "set")
    np.testing.assert_array_equal(kit.read(tmp_path / "set").columns["observation.state"][:, :4], pose)


@pytest.mark.parametrize("cut", [1, 4, 30])
def test_a_truncated_file_is_refused_before_anything_is_written(tmp_path, kit, cut):
    write(tmp_path / "in")
    content = (tmp_path / "in" / SHARD).read_bytes()
    (tmp_path / "in" / SHARD).write_bytes(content[:-cut])
    with pytest.raises(DatasetError, match="ends inside a record"):
        kit.convert("rlds", tmp_path / "in", tmp_path / "set")
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        (SHARD, b"\x1f\x8b compressed with gzip", "no record begins at byte 0"),
        ("features.json", b"{", "features.json cannot be read"),
        ("features.json", b"{}", "describes no steps"),
    ],
)
def test_files_of_another_kind(tmp_path, kit, name, content, what):
    write(tmp_path / "in")
    (tmp_path / "in" / name).write_bytes(content)
    with pytest.raises(DatasetError, match=what):
        kit.convert("rlds", tmp_path / "in", tmp_path / "set")


def test_records_without_their_description(tmp_path, kit):
    write(tmp_path / "in")
    (tmp_path / "in/features.json").unlink()
    with pytest.raises(DatasetError, match=r"features\.json cannot be read: No such file"):
        kit.convert("rlds", tmp_path / "in", tmp_path / "set")


def test_an_empty_file_has_no_records(tmp_path):
    (tmp_path / "empty").touch()
    with contextlib.closing(RecordFile(SourceFile.here(tmp_path / "empty"))) as records:
        assert records.count() == 0


@pytest.mark.parametrize("name", ["features.json", SHARD])
def test_flipped_bytes_are_refused_or_harmless(tmp_path, kit, name):
    write(tmp_path / "in")
    kit.flip_and_read("rlds", tmp_path / "in", tmp_path / "in" / name, 60)

"""Datasets on servers: one of the web that counts what it sends, and memory; interruptions; what is refused."""

import collections
import contextlib
import http.server
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import fsspec
import numpy as np
import pytest

from lerobot.core.cli.run import run_command
from lerobot.core.errors import DatasetError, LeRobotError
from lerobot.dataset_tools.conversion.convert import import_dataset
from lerobot.recipes import places

BLOCK = 2**14


class Ranges(http.server.BaseHTTPRequestHandler):
    """Files of a folder, by ranges; lists no folder."""

    protocol_version = "HTTP/1.1"
    root: Path
    sent: collections.Counter[str]
    requests: collections.Counter[str]
    gives_ranges = True
    refuses = ""

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, *, body):
        file = self.root / self.path.lstrip("/")
        if body and self.refuses and file.match(self.refuses):
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if not file.is_file():
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = file.read_bytes()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")) if self.gives_ranges else None
        start, end = (
            (int(wanted[1]), min(int(wanted[2] or len(content) - 1), len(content) - 1) + 1)
            if wanted
            else (0, len(content))
        )
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
        if self.gives_ranges:
            self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        if body:
            self.wfile.write(content[start:end])
            self.sent[file.name] += end - start
            self.requests[file.name] += 1

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    """A web server on this machine only, and what it sent by file."""
    handler = type(
        "Handler", (Ranges,), {"root": tmp_path, "sent": collections.Counter(), "requests": collections.Counter()}
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        handler.address = f"http://127.0.0.1:{served.server_port}"
        yield handler
        served.shutdown()
        thread.join()
    fsspec.filesystem("http").clear_instance_cache()


@pytest.fixture
def opens(monkeypatch):
    """How often each file was opened."""
    counted = collections.Counter()
    original = places.Place._open
    monkeypatch.setattr(places, "BLOCK_BYTES", BLOCK)

    def opened(self):
        counted[self.name] += 1
        return original(self)

    monkeypatch.setattr(places.Place, "_open", opened)
    return counted


def write_fractal(kit, write_rlds, folder, episodes=6, shards=3):
    rng = np.random.default_rng(0)
    given = []
    for length in rng.integers(3, 6, episodes):
        values = {
            "observation/image": kit.images(rng, length, 48, 64),
            "observation/natural_language_instruction": [b"open drawer"] * length,
            "observation/base_pose_tool_reached": rng.normal(size=(length, 7)).astype("f4"),
            "observation/gripper_closed": rng.normal(size=(length, 1)).astype("f4"),
            "action/world_vector": rng.normal(size=(length, 3)).astype("f4"),
            "action/rotation_delta": rng.normal(size=(length, 3)).astype("f4"),
            "action/gripper_closedness_action": np.zeros((length, 1), "f4"),
        }
        given.append(kit.steps(values, length))
    write_rlds(folder, "fractal20220817_data", given, shards=shards)


def test_of_a_web_server_each_byte_is_fetched_once(kit, write_rlds, convert, server, opens, tmp_path):
    write_fractal(kit, write_rlds, tmp_path / "data/0.1.0")
    address = f"{server.address}/data/0.1.0"
    found = convert("oxe", address, name="fractal20220817_data")
    here = kit.columns("oxe", tmp_path / "data/0.1.0", name="fractal20220817_data")
    for key in ("action", "observation.state", "observation.images.image"):
        np.testing.assert_array_equal(found.columns[key], here[key])
    files = sorted((tmp_path / "data/0.1.0").glob("*.tfrecord*"))
    assert len(files) == 3
    for file in files:
        size = file.stat().st_size
        assert size > 3 * BLOCK
        assert server.sent[file.name] <= size * 1.01
        assert server.requests[file.name] == -(-size // BLOCK)
    # Twice: at the server, and then here.
    assert {name: count for name, count in opens.items() if "tfrecord" in name} == {file.name: 2 for file in files}


def test_two_workers_fetch_each_file_once_and_write_what_one_writes(kit, write_rlds, server, tmp_path):
    write_fractal(kit, write_rlds, tmp_path / "data/0.1.0", episodes=3, shards=2)
    flags = ["--from=oxe", "--from.name=fractal20220817_data", "--video=false", "--executor.type=local"]
    for workers, address in {1: str(tmp_path / "data/0.1.0"), 2: f"{server.address}/data/0.1.0"}.items():
        # Each file of the server is a shard; so is each of these.
        place = [f"--from.path={address}", f"--root={tmp_path / str(workers) / 'set'}", "--shard_size_in_mb=0.001"]
        run_command("convert-dataset", [*flags, *place, f"--executor.workers={workers}"])
    for file in (tmp_path / "data/0.1.0").glob("*.tfrecord*"):
        assert server.requests[file.name] == 1
        assert server.sent[file.name] == file.stat().st_size
    one, two = (
        {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}
        for root in (tmp_path / "1", tmp_path / "2")
    )
    assert one == two


def test_one_file_of_a_web_server(kit, write_rlds, server, opens, tmp_path):
    write_fractal(kit, write_rlds, tmp_path / "0.1.0")
    name = "fractal20220817_data-train.tfrecord-00001-of-00003"
    for options in ({"path": f"{server.address}/0.1.0/{name}"}, {"path": f"{server.address}/0.1.0", "files": [name]}):
        with contextlib.closing(kit.opened("oxe", name="fractal20220817_data", **options)) as source:
            assert len(source.episodes) == 2
            assert [len(list(source.frames(episode, ["action"]))) > 0 for episode in range(2)] == [True, True]
    assert set(opens) == {name}


def test_of_an_archive_at_a_web_server_each_byte_is_fetched_once(kit, server, opens, tmp_path):
    import zarr

    rng = np.random.default_rng(0)
    store = zarr.storage.ZipStore(tmp_path / "dataset.zarr.zip", mode="w")
    group = zarr.open_group(store, mode="w", zarr_format=2)
    sizes = {"eef_pos": 3, "eef_rot_axis_angle": 3, "gripper_width": 1}
    images = kit.images(rng, 60)
    for name, size in sizes.items():
        group.create_array(f"data/robot0_{name}", data=rng.normal(size=(60, size)).astype("f4"), chunks=(50, size))
    group.create_array("data/camera0_rgb", data=images, chunks=(1, 16, 16, 3), compressors=None)
    group.create_array("meta/episode_ends", data=np.arange(6, 61, 6))
    store.close()
    with contextlib.closing(kit.opened("umi", f"{server.address}/dataset.zarr.zip")) as source:
        shown = [
            frame["observation.images.camera0"]
            for episode in range(len(source.episodes))
            for frame in source.frames(episode, ["observation.images.camera0", "observation.state", "action"])
        ]
    np.testing.assert_array_equal(shown, images)
    size = (tmp_path / "dataset.zarr.zip").stat().st_size
    assert size > 3 * BLOCK
    assert server.sent["dataset.zarr.zip"] <= size * 1.01
    assert opens == {"dataset.zarr.zip": 1}


def test_a_file_system_in_memory(kit, write_rlds, tmp_path):
    write_fractal(kit, write_rlds, tmp_path / "0.1.0")
    memory = fsspec.filesystem("memory")
    memory.put(str(tmp_path / "0.1.0"), "/sets/fractal/0.1.0", recursive=True)
    try:
        found = kit.columns("oxe", "memory://sets/fractal/0.1.0", name="fractal20220817_data")
        memory.rm("/sets/fractal/0.1.0/dataset_info.json")
        counted = kit.columns("oxe", "memory://sets/fractal/0.1.0", name="fractal20220817_data")
        here = kit.columns("oxe", tmp_path / "0.1.0", name="fractal20220817_data")
        for key, values in here.items():
            np.testing.assert_array_equal(found[key], values)
            np.testing.assert_array_equal(counted[key], values)
    finally:
        memory.rm("/sets", recursive=True)


def test_part_of_a_dataset_on_this_machine(kit, write_rlds, tmp_path):
    write_fractal(kit, write_rlds, tmp_path / "0.1.0")
    (tmp_path / "0.1.0/fractal20220817_data-train.tfrecord-00001-of-00003").unlink()
    with contextlib.closing(kit.opened("oxe", tmp_path / "0.1.0", name="fractal20220817_data")) as source:
        assert len(source.episodes) == 4


def test_an_interrupted_import_goes_on(kit, write_rlds, reader, tmp_path):
    write_fractal(kit, write_rlds, tmp_path / "0.1.0")

    def run(root, stop_at=None):
        def report(episodes, _frames):
            if episodes == stop_at:
                raise KeyboardInterrupt

        with contextlib.closing(kit.opened("oxe", tmp_path / "0.1.0", name="fractal20220817_data")) as source:
            return import_dataset(source, root, video=False, report=report)

    run(tmp_path / "whole")
    for stop_at in (2, 5):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "set", stop_at)
        assert reader.read_info(tmp_path / "set")["total_episodes"] == stop_at
    assert run(tmp_path / "set").resumed_at == 5
    whole, resumed = reader.read(tmp_path / "whole"), reader.read(tmp_path / "set")
    assert whole.lengths == resumed.lengths
    for key, values in whole.columns.items():
        np.testing.assert_array_equal(values, resumed.columns[key])


def test_a_truncated_file_is_named(kit, write_rlds, server, tmp_path):
    write_fractal(kit, write_rlds, tmp_path / "0.1.0")
    file = tmp_path / "0.1.0/fractal20220817_data-train.tfrecord-00001-of-00003"
    file.write_bytes(file.read_bytes()[:-100])
    with contextlib.closing(kit.opened("oxe", f"{server.address}/0.1.0", name="fractal20220817_data")) as source:
        list(source.frames(0, ["action"]))
        with pytest.raises(DatasetError, match="00001-of-00003 ends inside a record"):
            list(source.frames(3, ["action"]))


@pytest.mark.usefixtures("opens")
def test_a_server_without_ranges_is_refused(kit, write_rlds, server, tmp_path):
    write_fractal(kit, write_rlds, tmp_path / "0.1.0")
    server.gives_ranges = False
    with contextlib.closing(kit.opened("oxe", f"{server.address}/0.1.0", name="fractal20220817_data")) as source:
        frames = source.frames(0, ["action"])
        with pytest.raises(DatasetError, match="doesn't appear to support range requests"):
            next(frames)


@pytest.mark.parametrize(("refused", "named"), [("*.json", "features.json"), ("*.tfrecord*", "00000-of-00003")])
def test_a_server_that_is_too_busy_is_said(kit, write_rlds, server, tmp_path, refused, named):
    write_fractal(kit, write_rlds, tmp_path / "0.1.0")
    server.refuses = refused
    with pytest.raises(DatasetError, match=rf"{named} cannot be read: 503"):
        kit.columns("oxe", f"{server.address}/0.1.0", name="fractal20220817_data")


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("nosuch://bucket/x", "nosuch://bucket/x is no address that can be read"),
        ("gs://bucket/x", "gs://bucket/x needs a driver that is not installed"),
    ],
)
def test_an_address_that_no_driver_knows(kit, address, what):
    with pytest.raises(LeRobotError, match=what):
        kit.opened("droid", address)


def test_what_is_not_there(kit, server, tmp_path):
    with pytest.raises(DatasetError, match=r"holds no features\.json"):
        kit.opened("droid", f"{server.address}/nothing")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/features.json").write_text(json.dumps({}))
    with pytest.raises(DatasetError, match=r"(?s)holds no file to import.*\*\.tfrecord"):
        kit.opened("droid", tmp_path / "empty")


def test_choosing_a_recipe_imports_nothing_heavy():
    code = (
        "import sys; from lerobot.core.config import load\n"
        "from lerobot.dataset_tools.commands.convert_dataset import ConvertDatasetConfig\n"
        "for words in (['bridge'], ['droid'], ['oxe', '--from.name=viola'], ['umi']):\n"
        "    load(ConvertDatasetConfig, [f'--from={words[0]}', '--from.path=x', *words[1:]], {})\n"
        "print(sorted({'fsspec', 'zarr', 'google.protobuf', 'numpy', 'pyarrow', 'av'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"

"""Recordings in the studio: which are found, what is served of them, and the command lines of edits."""

import json
import os
import shlex
import time
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studio_client import Studio

from lerobot.core.errors import LeRobotError
from lerobot.studio.datasets.edits import Wish
from lerobot.studio.datasets.found import Found, folder_of, opened_before, recordings, remember

CAMERA = "observation.images.front"
FILE = f"videos/{CAMERA}/chunk-000/file-000.mp4"


def info(root: Path, **entries: object) -> Path:
    """A folder with nothing of a recording but its `meta/info.json`."""
    (root / "meta").mkdir(parents=True)
    features = {"action": {"dtype": "float32"}, CAMERA: {"dtype": "video"}}
    told = {"fps": 10, "total_episodes": 2, "total_frames": 50, "robot_type": "so101", "features": features, **entries}
    (root / "meta/info.json").write_text(json.dumps(told))
    return root


def test_recordings_are_found_without_those_that_edits_left(tmp_path: Path) -> None:
    for name in ("me/cubes", "me/cubes_old", "me/cubes_old2", "you/very_old", "alone", "me/.cubes.editing"):
        info(tmp_path / name)
    (tmp_path / "calibration/robots").mkdir(parents=True)
    other = info(tmp_path / "elsewhere/deep/down", robot_type=None)
    found = recordings(tmp_path, [str(other), str(tmp_path / "gone")])
    assert sorted(each.name for each in found) == [str(other), "alone", "me/cubes", "you/very_old"]
    one = next(each for each in found if each.name == "me/cubes")
    assert (one.episodes, one.seconds, one.cameras, one.robot) == (2, 5.0, 1, "so101")
    assert [each.name for each in recordings(tmp_path, [], "CUB so101")] == ["me/cubes"]
    assert recordings(tmp_path / "nothing", []) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"fps": 0, "features": {}}', '{"fps": "x", "features": {"a": 3}}'])
def test_a_damaged_recording_is_listed_with_what_is_wrong(tmp_path: Path, text: str) -> None:
    root = info(tmp_path / "me/cubes")
    (root / "meta/info.json").write_text(text)
    assert "info.json cannot be read" in Found.read(root, "x").problem


def test_folders_that_were_opened_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    assert opened_before() == []
    for name in ("a", "b", "a"):
        remember(tmp_path / name)
    assert opened_before() == [str(tmp_path / "a"), str(tmp_path / "b")]
    (tmp_path / "studio/opened.json").write_text("{")
    assert opened_before() == []


@pytest.mark.parametrize("path", ["", "  ", "/nowhere", "a\0b"])
def test_a_folder_that_holds_no_recording(path: str) -> None:
    with pytest.raises(LeRobotError, match=r"folder|no recording"):
        folder_of(path)


@pytest.mark.parametrize(
    ("do", "fields", "words"),
    [
        ("delete", {}, "type=delete_episodes episode_indices=[1,3]"),
        ("trim", {"start_s": "0.5"}, "type=trim start_s=0.5 episode_indices=[1,3]"),
        ("outcome", {"outcome": "failure"}, "type=set_outcome outcome=failure episode_indices=[1,3]"),
        ("undo", {}, "type=undo"),
        ("task", {"task": 'it\'s "ü"'}, None),
        ("reencode", {}, None),
    ],
)
def test_the_command_line_of_an_edit_is_one_that_the_command_takes(
    tmp_path: Path, do: str, fields: dict[str, str], words: str | None
) -> None:
    pytest.importorskip("lerobot.dataset_tools")
    from lerobot.core.config import load
    from lerobot.dataset_tools.commands.edit_dataset import EditDatasetConfig

    arguments = Wish(tmp_path, do, [3, 1, 3], fields).arguments()
    config = load(EditDatasetConfig, arguments, {}).config
    assert config.root == tmp_path
    if do == "task":
        assert config.operation.episode_tasks == {1: fields["task"], 3: fields["task"]}
    if do == "reencode":
        assert config.operation.rgb_encoder.vcodec == "h264"
    if words is not None:
        given_words = [word.removeprefix("--operation.").replace(" ", "") for word in arguments[1:]]
        assert " ".join(given_words) == words


@pytest.mark.parametrize(
    ("do", "episodes", "fields", "said"),
    [
        ("burn", [1], {}, "is no edit"),
        ("delete", [], {}, "No episode"),
        ("trim", [1], {"start_s": "soon"}, "'soon'"),
        ("trim", [1], {"start_s": "", "end_s": "0"}, "Nothing is to be cut off"),
        ("task", [1], {"task": " "}, "task in words is missing"),
        ("push", [1], {}, "name on the Hub"),
    ],
)
def test_an_edit_that_lacks_something(
    tmp_path: Path, do: str, episodes: list[int], fields: dict[str, str], said: str
) -> None:
    with pytest.raises(LeRobotError, match=said):
        Wish(tmp_path, do, episodes, fields).arguments()


class ToldReader:
    """Answers in place of the process; `told` says what."""

    def __init__(self, told: dict[str, dict[str, object]]) -> None:
        self.told = told
        self.asked: list[tuple[str, dict[str, object]]] = []

    async def ask(self, what: str, root: Path, **details: object) -> dict[str, object]:
        self.asked.append((what, details))
        return self.told[what]


@pytest.fixture
def recording(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, bytes]:
    """A recording with one video, and the bytes of the video; another file lies beside it."""
    root = info(studio.home / "me/cubes")
    film = os.urandom(200_001)
    (root / FILE).parent.mkdir(parents=True)
    (root / FILE).write_bytes(film)
    (root / "meta/secret.mp4").write_text("secret")
    files = {"files": [FILE, "../cubes/meta/secret.mp4", str(root / "meta/secret.mp4")]}
    pages = next(route for route in studio.app.routes if route.path == "/datasets/file").endpoint.__self__
    monkeypatch.setattr(pages, "_reader", ToldReader({"files": files}))
    return root, film


def address(root: Path, name: str) -> str:
    return f"/datasets/file?{urlencode({'root': root, 'name': name})}"


def raw(studio: Studio, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=20)
    try:
        connection.request(method, path, headers={**studio.headers, **headers})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_ranges_are_slices_of_the_file(studio: Studio, recording: tuple[Path, bytes]) -> None:
    root, film = recording
    path, size = address(root, FILE), len(film)

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(begin=st.integers(0, size + 5), length=st.integers(1, size + 5) | st.none(), is_suffix=st.booleans())
    def check(begin: int, length: int | None, is_suffix: bool) -> None:
        if is_suffix:
            span, wanted = f"bytes=-{begin}", film[max(size - begin, 0) :] if begin else b""
        else:
            span = f"bytes={begin}-" + ("" if length is None else str(begin + length - 1))
            wanted = film[begin:] if length is None else film[begin : begin + length]
        status, headers, body = raw(studio, path, Range=span)
        if not wanted:
            assert (status, headers["content-range"]) == (416, f"bytes */{size}")
            return
        first = size - len(wanted) if is_suffix else begin
        assert (status, body) == (206, wanted)
        assert headers["content-range"] == f"bytes {first}-{first + len(wanted) - 1}/{size}"
        assert headers["content-length"] == str(len(wanted))

    check()


def test_a_film_whole_and_only_if_it_is_still_the_same(studio: Studio, recording: tuple[Path, bytes]) -> None:
    root, film = recording
    path = address(root, FILE)
    status, headers, body = raw(studio, path)
    assert (status, body, headers["accept-ranges"]) == (200, film, "bytes")
    assert headers["content-type"] == "video/mp4"
    tag = headers["etag"]
    assert raw(studio, path, Range="bytes=5-9", **{"If-Range": tag})[::2] == (206, film[5:10])
    assert raw(studio, path, method="HEAD")[::2] == (200, b"")
    (root / FILE).write_bytes(film[::-1] + b"x")
    assert raw(studio, path, Range="bytes=5-9", **{"If-Range": tag})[::2] == (200, film[::-1] + b"x")


@pytest.mark.parametrize(
    "name",
    [
        "meta/secret.mp4",
        "../cubes/meta/secret.mp4",
        "videos/../meta/secret.mp4",
        f"./{FILE}",
        f"/{FILE}",
        "/etc/passwd",
        "",
        "ROOT/meta/secret.mp4",
        "meta/info.json",
        f"{FILE}%00",
    ],
)
def test_nothing_else_is_served(studio: Studio, recording: tuple[Path, bytes], name: str) -> None:
    root, _ = recording
    name = quote(name.replace("ROOT", str(root)), safe="%")
    status, _, body = raw(studio, f"/datasets/file?root={quote(str(root))}&name={name}")
    assert status == 404
    assert b"secret" not in body.replace(b"secret.mp4", b"")
    assert raw(studio, address(root.parent, FILE))[0] == 400  # which is no recording


def until_done(studio: Studio, root: Path, **fields: str) -> str:
    """Ask for an edit, be sure, and wait; gives where the page goes then, or what it says."""
    asked = studio.post("/datasets/edit", {"root": str(root), **fields})
    assert "Do it" in asked.text, asked.text
    answer = studio.post("/datasets/edit", {"root": str(root), "sure": "yes", **fields})
    deadline = time.monotonic() + 120
    while "hx-get" in answer.text and "every 500ms" in answer.text:
        assert time.monotonic() < deadline
        time.sleep(0.1)
        run = studio.app.state.runs.all()[0]
        answer = studio.get(f"/datasets/edit/{run.id}?{urlencode({'root': root})}")
    return answer.headers.get("hx-redirect", answer.text)


def test_a_recording_is_looked_at_edited_and_taken_back(studio: Studio) -> None:
    """With the real commands, on a recording of this computer."""
    recorder = pytest.importorskip("lerobot.datasets.writer.recorder")
    pytest.importorskip("lerobot.dataset_tools")
    import numpy as np

    features = {
        "action": {"dtype": "float32", "shape": (1,), "names": ["a"]},
        CAMERA: {"dtype": "image", "shape": (16, 24, 3), "names": ["height", "width", "channels"]},
    }
    root = studio.home / "me/cubes"
    with recorder.DatasetRecorder.create(root, 10, features) as writer:
        for episode in range(2):
            for frame in range(5 + episode):
                image = np.full((16, 24, 3), 20 * frame, np.uint8)
                writer.add_frame({"action": np.array([frame + 10 * episode], np.float32), CAMERA: image}, "push <it>")
            writer.save_episode()
    query = urlencode({"root": root})
    assert "me/cubes" in studio.get("/datasets?q=cubes").text
    page = studio.get(f"/datasets/view?{query}")
    assert page.text.count("push &lt;it&gt;") >= 2
    assert "<it>" not in page.text
    assert "image/jpeg;base64" in studio.get(f"/datasets/card?{query}").text
    numbers = json.loads(studio.get(f"/datasets/episode?{query}&episode=1").text)
    assert numbers["columns"]["action"]["values"] == [[10, 11, 12, 13, 14, 15]]
    assert "does not exist" in json.loads(studio.get(f"/datasets/episode?{query}&episode=9").text)["error"]
    film = json.loads(studio.get(f"/datasets/film?{query}&episode=1&camera={CAMERA}").text)
    assert raw(studio, address(root, film["file"]), Range="bytes=4-7")[2] == b"ftyp"
    assert json.loads(studio.get(f"/datasets/findings?{query}&pictures=0").text) == {"findings": []}

    done = until_done(studio, root, do="delete", current="0")
    assert done.startswith("/datasets/view?")
    assert "1 episode, 6 frames" in studio.get(done).text
    numbers = json.loads(studio.get(f"/datasets/episode?{query}&episode=0").text)
    assert numbers["columns"]["action"]["values"] == [[10, 11, 12, 13, 14, 15]]
    assert shlex.quote(f"--root={root}") in studio.app.state.runs.all()[0].line
    assert until_done(studio, root, do="undo").startswith("/datasets/view?")
    assert json.loads(studio.get(f"/datasets/episode?{query}&episode=1").text)["frames"] == 6

    from lerobot.datasets.writer.lock import WriterLock

    lock = WriterLock(root)
    try:
        said = until_done(studio, root, do="delete", current="0")
    finally:
        lock.release()
    assert "Nothing was changed" in said
    assert "is being written by another process" in said

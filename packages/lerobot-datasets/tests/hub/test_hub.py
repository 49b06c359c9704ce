"""The real client of the Hub against a stand-in: uploads, downloads, versions, and transfers that are cut off."""

import hashlib
import json
import random
import shutil
from pathlib import Path

import pytest

REPO = "me/numbers"
CAMERA = "observation.images.cam"


@pytest.fixture(scope="module")
def original(tmp_path_factory, make_dataset) -> Path:
    return make_dataset(tmp_path_factory.mktemp("original") / "dataset", [5, 7, 4, 6], video=True)


@pytest.fixture
def dataset(original, tmp_path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "dataset"))


def push_code(root: Path, arguments: str = "") -> str:
    return f"""
from lerobot.datasets.lerobot_dataset import LeRobotDataset
result = LeRobotDataset({REPO!r}, {str(root)!r}).push_to_hub({arguments})"""


OPEN = f"""
from lerobot.datasets.lerobot_dataset import LeRobotDataset
dataset = LeRobotDataset({REPO!r})
items = dataset.read_arrays(range(len(dataset)))
result = [str(dataset.root), [float(item["action"]) for item in items], [item[{CAMERA!r}].shape for item in items]]"""


def failure_of(code: str) -> str:
    return f"""
from lerobot.core.errors import DatasetError
try:
{chr(10).join("    " + line for line in code.strip().splitlines())}
except DatasetError as error:
    result = [type(error).__name__, str(error)]"""


def digests(files: dict[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}


def local_files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_push_commits_every_file_once_and_tags_the_version(hub, client, dataset):
    own = digests(local_files(dataset))
    (dataset / ".recording").mkdir()
    (dataset / ".recording/lock").write_text("")
    (dataset / "images/cam").mkdir(parents=True)
    (dataset / "images/cam/frame.png").write_text("staged")
    (dataset / "data/chunk-000/file-007.parquet").write_bytes(b"beyond the commit point")
    (dataset / "meta/episodes/chunk-000/file-001.parquet").write_bytes(b"beyond it too")
    (dataset / "notes.txt").write_text("from the user")
    address = client(push_code(dataset, "tags=['cubes'], private=True, homepage='https://example.org'"))
    repository = hub.repositories[REPO]
    files = repository.files()
    assert repository.private
    assert address.endswith(repository.branches["main"])
    assert repository.tags == {"v3.0": repository.branches["main"]}
    card = files.pop("README.md").decode()
    assert files.pop("notes.txt") == b"from the user"
    assert digests(files) == own
    assert len(hub.asked("POST", "/commit/")) == 1
    front = card.split("---")[1]
    assert "license: apache-2.0" in front
    assert "- LeRobot\n- cubes" in front
    assert "data_files: data/*/*.parquet" in front
    assert "https://example.org" in card
    structure = card.split("```json")[1].split("```")[0]
    assert json.loads(structure)["total_episodes"] == 4


def test_a_card_of_the_users_own_is_kept(hub, client, dataset):
    (dataset / "README.md").write_text("my own words")
    client(push_code(dataset))
    assert hub.repositories[REPO].files()["README.md"] == b"my own words"


def test_pushing_again_removes_what_the_dataset_no_longer_has_and_moves_the_tag(hub, client, dataset, make_dataset):
    client(push_code(dataset))
    first = hub.repositories[REPO].branches["main"]
    shorter = make_dataset(dataset.parent / "shorter", [5, 7], video=True)
    client(push_code(shorter))
    repository = hub.repositories[REPO]
    assert digests({k: v for k, v in repository.files().items() if k != "README.md"}) == digests(local_files(shorter))
    assert repository.tags["v3.0"] == repository.branches["main"] != first


def test_pushing_without_videos_leaves_those_that_are_there(hub, client, dataset):
    client(push_code(dataset))
    videos = {path for path in hub.repositories[REPO].files() if path.startswith("videos/")}
    client(push_code(dataset, "push_videos=False"))
    assert {path for path in hub.repositories[REPO].files() if path.startswith("videos/")} == videos
    assert len(videos) == 2


def test_branches_and_patterns(hub, client, dataset):
    client(push_code(dataset, "branch='trial', tag_version=False, allow_patterns='meta/*'"))
    repository = hub.repositories[REPO]
    assert repository.tags == {}
    assert set(repository.files("main")) == set()
    assert {path.split("/")[0] for path in repository.files("trial")} == {"meta", "README.md"}


def test_an_upload_that_was_cut_off_sends_no_file_twice(hub, client, dataset):
    hub.refuse["/commit/"] = 1
    kind, text = client(failure_of(push_code(dataset)))
    assert kind == "HubError"
    assert f"{dataset} could not be uploaded to {REPO}" in text
    assert hub.repositories[REPO].files() == {}
    sent = len(hub.asked("PUT", "/storage/"))
    large = {path: data for path, data in local_files(dataset).items() if path.endswith((".mp4", ".parquet"))}
    assert sent == len(set(digests(large).values()))
    client(push_code(dataset))
    assert len(hub.asked("PUT", "/storage/")) == sent
    assert len(hub.repositories[REPO].files()) == len(local_files(dataset)) + 1


def test_what_is_incomplete_is_not_uploaded(hub, client, dataset):
    (dataset / f"videos/{CAMERA}/chunk-000/file-001.mp4").unlink()
    kind, text = client(failure_of(push_code(dataset)))
    assert kind == "DatasetError"
    assert "file-001.mp4 is missing" in text
    assert hub.requests == []


def test_pulled_frames_equal_those_pushed_and_the_second_opening_asks_nobody(hub, client, dataset):
    client(push_code(dataset))
    root, actions, shapes = client(OPEN)
    assert actions == list(range(22))
    assert set(map(tuple, shapes)) == {(32, 192, 3)}
    assert "/hub/datasets--me--numbers/snapshots/" in root
    assert digests(local_files(Path(root))) == digests(hub.repositories[REPO].files())
    hub.requests.clear()
    assert client(OPEN) == [root, actions, shapes]
    assert hub.requests == []


def test_a_dataset_on_this_computer_is_never_looked_up(hub, client, dataset, tmp_path):
    shutil.copytree(dataset, tmp_path / "lerobot_home" / REPO)
    root, actions, _ = client(OPEN)
    assert root == str(tmp_path / "lerobot_home" / REPO)
    assert actions == list(range(22))
    assert hub.requests == []


def test_only_the_files_of_chosen_episodes_come_and_the_rest_later_from_the_same_commit(hub, client, dataset, tmp_path):
    client(push_code(dataset))
    target = tmp_path / "copy"
    opened = f"""
from lerobot.datasets.lerobot_dataset import LeRobotDataset
dataset = LeRobotDataset({REPO!r}, {str(target)!r}, episodes=EPISODES)
result = [float(item["action"]) for item in dataset.read_arrays(range(len(dataset)))]"""
    assert client(opened.replace("EPISODES", "[2]")) == [12, 13, 14, 15]
    here = {path for path in local_files(target) if not path.startswith(".cache")}
    assert {path for path in here if path.startswith(("data/", "videos/"))} == {
        "data/chunk-000/file-001.parquet",
        f"videos/{CAMERA}/chunk-000/file-001.mp4",
    }
    repository = hub.repositories[REPO]
    old = repository.tags["v3.0"]
    repository.tags["v3.0"] = repository.commit("main", {"meta/info.json": b"{}"})
    assert client(opened.replace("EPISODES", "None")) == list(range(22))
    assert all(f"/resolve/{old}/" in path for _, path, _ in hub.requests if path.endswith("file-000.parquet"))


def test_videos_can_be_left_out(hub, client, dataset):
    client(push_code(dataset))
    code = f"""
from lerobot.datasets.lerobot_dataset import LeRobotDataset
dataset = LeRobotDataset({REPO!r}, download_videos=False)
result = [len(list(dataset.root.rglob("*.mp4"))), len(dataset.read_arrays([3], pictures=False))]"""
    assert client(code) == [0, 1]


def test_a_download_that_breaks_off_goes_on_where_it_stopped(hub, client, dataset):
    client(push_code(dataset))
    # Longer than the pieces of 10 MiB that the client keeps.
    video = f"videos/{CAMERA}/chunk-000/file-000.mp4"
    content = hub.repositories[REPO].files()[video] = random.Random(0).randbytes(25 * 2**20)
    hub.cut[video] = 22 * 2**20
    hub.requests.clear()
    code = f"""
from lerobot.datasets.hub.pull import fetch_files, fetch_metadata
root = fetch_metadata({REPO!r})
fetch_files(root, {REPO!r}, [{video!r}])
result = str(root / {video!r})"""
    assert Path(client(code)).read_bytes() == content
    ranges = [headers.get("Range") for headers in hub.asked("GET", video)]
    assert ranges == [None, f"bytes={20 * 2**20}-"]


def test_files_that_arrived_are_not_fetched_again_after_a_failure(hub, client, dataset):
    client(push_code(dataset))
    video = f"videos/{CAMERA}/chunk-000/file-001.mp4"
    hub.refuse["file-001.mp4"], hub.refusal = 2, 403
    kind, text = client(failure_of(OPEN))
    assert kind == "HubError"
    assert f"{REPO} could not be downloaded" in text
    hub.refuse.clear()
    hub.requests.clear()
    client(OPEN)
    fetched = {path.partition("/resolve/")[2] for verb, path, _ in hub.requests if verb == "GET" and "resolve" in path}
    assert {path.partition("/")[2] for path in fetched} == {video}


def test_a_file_that_the_hub_lacks_is_named(hub, client, dataset):
    client(push_code(dataset))
    video = f"videos/{CAMERA}/chunk-000/file-001.mp4"
    del hub.repositories[REPO].files()[video]
    kind, text = client(failure_of(OPEN))
    assert kind == "HubError"
    assert f"lacks {video}" in text


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["v3.0", "v2.1"], "v3.0"),
        (["v2.0", "v2.1"], "v2.1"),
        (["v3.1", "v2.1"], "v3.1"),
        (["v4.0", "v3.0"], "v3.0"),
        (["best", "v3"], "main"),
        ([], "main"),
    ],
)
def test_the_newest_version_that_can_be_read_is_chosen(tags, expected):
    from lerobot.datasets.hub.revision import newest_readable

    assert newest_readable(REPO, ["main", *tags]) == expected


def test_only_newer_formats_are_refused_by_name():
    from lerobot.core.errors import DatasetError
    from lerobot.datasets.hub.revision import newest_readable

    with pytest.raises(DatasetError, match=r"only the versions v4\.0, v5\.1"):
        newest_readable(REPO, ["main", "v5.1", "v4.0"])


def test_revisions_and_newer_versions(hub, client, dataset, make_dataset):
    client(push_code(dataset))
    first = hub.repositories[REPO].branches["main"]
    length = f"""
from lerobot.datasets.lerobot_dataset import LeRobotDataset
result = len(LeRobotDataset({REPO!r}, ARGUMENTS))"""
    assert client(length.replace("ARGUMENTS", "")) == 22
    client(push_code(make_dataset(dataset.parent / "longer", [5, 7, 4, 6, 9], video=True)))
    assert client(length.replace("ARGUMENTS", "")) == 22
    assert client(length.replace("ARGUMENTS", "force_cache_sync=True")) == 31
    assert client(length.replace("ARGUMENTS", f"revision={first!r}")) == 22
    assert client(length.replace("ARGUMENTS", "")) == 31


@pytest.mark.parametrize(
    ("code", "text", "hint"),
    [
        ("LeRobotDataset('me/nothing')", "no dataset at", "hf auth login"),
        ("LeRobotDataset('me/numbers', revision='v9')", "no dataset at", "Leave the revision out"),
    ],
)
def test_what_is_nowhere_is_one_error(hub, client, dataset, code, text, hint):
    client(push_code(dataset))
    kind, message = client(failure_of(f"from lerobot.datasets.lerobot_dataset import LeRobotDataset\n{code}"))
    assert kind == "HubError"
    assert text in message
    assert hint in message


def test_names_that_the_hub_cannot_have_are_not_asked_for(hub, client):
    for name in ("cubes", "me/a/b", "me/", "me/red cubes"):
        code = f"from lerobot.datasets.lerobot_dataset import LeRobotDataset\nLeRobotDataset({name!r})"
        kind, message = client(failure_of(code))
        assert (kind, message[:13]) == ("DatasetError", "no dataset at")
    assert hub.requests == []


def test_an_empty_folder_is_told_from_none(client, tmp_path):
    (tmp_path / "empty").mkdir()
    for name, said in (("empty", "the folder holds none"), ("nowhere", "the folder does not exist")):
        code = f"LeRobotDataset('cubes', {str(tmp_path / name)!r})"
        _, message = client(failure_of(f"from lerobot.datasets.lerobot_dataset import LeRobotDataset\n{code}"))
        assert message.splitlines()[0].endswith(said)


def test_offline_is_said_so(client):
    code = failure_of(f"from lerobot.datasets.lerobot_dataset import LeRobotDataset\nLeRobotDataset({REPO!r})")
    _, message = client(code, HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE is set" in message


def test_a_hub_out_of_reach_is_asked_once(hub, client, dataset):
    """Its client would ask five times more, half a minute long; each time it sleeps before."""
    client(
        push_code(dataset)
        + f"""
from lerobot.datasets.hub.pull import fetch_metadata
result = str(fetch_metadata({REPO!r}))"""
    )
    answers, naps = client(
        f"""
import time
from lerobot.core.errors import DatasetError
from lerobot.datasets.hub.search import search_datasets
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.streaming_dataset import StreamingLeRobotDataset
naps, answers = [], []
time.sleep = naps.append
for ask in (
    lambda: LeRobotDataset({REPO!r}),
    lambda: LeRobotDataset({REPO!r}, force_cache_sync=True),
    lambda: next(iter(StreamingLeRobotDataset({REPO!r}))),
    search_datasets,
):
    try:
        ask()
    except DatasetError as error:
        answers.append(str(error))
result = answers, naps""",
        HF_ENDPOINT="http://127.0.0.1:9",
    )
    assert naps == []
    assert len(answers) == 4
    assert all("Connection refused" in answer for answer in answers)


def test_a_folder_of_something_else_is_not_downloaded_into(hub, client, dataset, tmp_path):
    client(push_code(dataset))
    (tmp_path / "other").mkdir()
    (tmp_path / "other/letter.txt").write_text("dear")
    target = str(tmp_path / "other")
    code = f"from lerobot.datasets.lerobot_dataset import LeRobotDataset\nLeRobotDataset({REPO!r}, {target!r})"
    _, message = client(failure_of(code))
    assert "meta/info.json is missing" in message
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["letter.txt"]

"""Streaming from the Hub: each file once while it is needed, nothing left behind."""

import hashlib
from pathlib import Path

import pytest

from lerobot.datasets.lerobot_dataset import LeRobotDataset

REPO = "me/numbers"
CAMERA = "observation.images.cam"
LENGTHS = [4, 3, 5, 2, 6, 3]

# Every test imports torch in a process of its own.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def original(tmp_path_factory, make_dataset) -> Path:
    # Two episodes in each file of rows and of images.
    return make_dataset(tmp_path_factory.mktemp("original") / "dataset", LENGTHS, video=True)


@pytest.fixture
def published(hub, client, original):
    client(f"""
from lerobot.datasets.hub.push import push
push(Path({str(original)!r}), {REPO!r})""")
    hub.requests.clear()
    return original


STREAM = f"""
import hashlib
from lerobot.core.paths import lerobot_home
from lerobot.datasets.streaming_dataset import StreamingLeRobotDataset
def kept():
    found = (lerobot_home() / "streaming").rglob("*")
    return sorted(path.name for path in found if path.suffix in (".mp4", ".parquet"))
def digest(item):
    return hashlib.sha256(item[{CAMERA!r}].numpy().tobytes()).hexdigest()
dataset = StreamingLeRobotDataset({REPO!r}, episode_pool_size=1, prefetch_episodes=0)
"""


def downloads(hub) -> list[str]:
    paths = [path.partition("/resolve/")[2].partition("/")[2] for verb, path, _ in hub.requests if verb == "GET"]
    return [path for path in paths if path.startswith(("data/", "videos/"))]


def test_items_equal_the_local_ones_and_nothing_is_left(hub, client, published):
    found = client(STREAM + "result = [[[int(i['index']), digest(i)] for i in dataset], kept(), len(dataset)]")
    items, kept, length = found
    whole = LeRobotDataset("a/b", published)
    expected = [[i, hashlib.sha256(whole[i][CAMERA].numpy().tobytes()).hexdigest()] for i in range(sum(LENGTHS))]
    assert sorted(items) == expected
    assert kept == []
    assert length == sum(LENGTHS)


def test_a_file_is_downloaded_once_while_an_episode_in_it_is_there(hub, client, published):
    code = STREAM.replace("episode_pool_size=1, prefetch_episodes=0", "episode_pool_size=2, shuffle=False")
    client(code + "result = len(list(dataset))")
    fetched = downloads(hub)
    assert len(fetched) == 6
    assert len(set(fetched)) == 6


def test_no_more_files_are_there_than_the_pool_needs(hub, client, published):
    counts = client(STREAM + "result = [len(kept()) for item in dataset]")
    assert set(counts) == {2}


def test_what_is_passed_over_is_not_downloaded(hub, client, published):
    code = STREAM.replace("prefetch_episodes=0", "prefetch_episodes=0, shuffle=False")
    skip = f"dataset.load_state_dict({{'batches_consumed': {sum(LENGTHS[:4])}, 'batch_size': 1}})\n"
    assert client(code + skip + "result = [int(item['index']) for item in dataset]") == list(range(14, 23))
    assert sorted(downloads(hub)) == ["data/chunk-000/file-002.parquet", f"videos/{CAMERA}/chunk-000/file-002.mp4"]


def test_workers_of_one_computer_do_not_take_files_from_each_other(hub, client, published):
    code = f"""
import torch
from lerobot.datasets.streaming_dataset import StreamingLeRobotDataset
if __name__ == "__main__":
    dataset = StreamingLeRobotDataset({REPO!r}, episode_pool_size=2)
    loader = torch.utils.data.DataLoader(dataset, batch_size=4, num_workers=2)
    result = [index for batch in loader for index in batch["index"].tolist()]
"""
    assert sorted(client(code)) == list(range(sum(LENGTHS)))


def test_a_failed_download_is_an_error_that_names_the_file(hub, client, published):
    hub.refuse[".mp4"], hub.refusal = 100, 403
    text, kept = client(
        STREAM
        + """
from lerobot.core.errors import DatasetError
try:
    list(dataset)
except DatasetError as error:
    result = [str(error), kept()]"""
    )
    assert f"videos/{CAMERA}/chunk-000/" in text
    assert f"of {REPO} could not be downloaded" in text
    assert kept == []


def test_leaving_early_and_being_killed_leave_no_files(hub, client, published, tmp_path):
    assert client(STREAM + "frames = iter(dataset)\nnext(frames)\nframes.close()\nresult = kept()") == []
    killed = """
import os
child = os.fork()
if child == 0:
    frames = iter(dataset)
    next(frames)
    os.kill(os.getpid(), 9)
os.waitpid(child, 0)
before = len(kept())
frames = iter(dataset)
next(frames)
result = [before, len(kept())]
frames.close()
result.append(kept())"""
    assert client(STREAM + killed) == [2, 2, []]
    assert list((tmp_path / "lerobot_home" / "streaming").rglob("*.lock")) == []


def test_without_streaming_everything_is_fetched_first_and_stays(hub, client, published):
    code = STREAM.replace("prefetch_episodes=0", "streaming=False")
    assert client(code + "result = [len(list(dataset)), kept()]") == [sum(LENGTHS), []]
    assert len(downloads(hub)) == 6
    hub.requests.clear()
    assert client(code + "result = len(list(dataset))") == sum(LENGTHS)
    assert hub.requests == []

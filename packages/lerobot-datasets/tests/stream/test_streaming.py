"""Streaming gives the items of the map-style dataset, each once, in an order that can be taken up anywhere."""

import gc
import os
import pickle
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from torch.utils.data import DataLoader

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.streaming_dataset import StreamingLeRobotDataset

CAMERA = "observation.images.cam"
LENGTHS = [5, 1, 7, 3, 6, 4]
DATA = Path(__file__).parents[5] / "shared" / "data"
DELTAS = {"action": [0.3, -12.0, 0.0, 0.0, 11.0], CAMERA: [-0.1, 0.0], "observation.state": [-0.2]}

# More workers than the computer has cores are what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


@pytest.fixture(scope="module")
def root(tmp_path_factory, make_dataset) -> Path:
    return make_dataset(tmp_path_factory.mktemp("streaming") / "d", LENGTHS, video=True)


@pytest.fixture(scope="module")
def numbers_only(tmp_path_factory, make_dataset) -> Path:
    return make_dataset(tmp_path_factory.mktemp("numbers") / "d", LENGTHS)


def stream(root: Path, **settings) -> StreamingLeRobotDataset:
    return StreamingLeRobotDataset("a/b", root, **{"episode_pool_size": 3, **settings})


def indices(items) -> list[int]:
    return [int(item["index"]) for item in items]


def batches(loader) -> list[list[int]]:
    return [batch["index"].tolist() for batch in loader]


def assert_equal(item, other):
    assert list(item) == list(other)
    for key, value in item.items():
        if isinstance(value, torch.Tensor):
            assert value.dtype == other[key].dtype, key
            assert torch.equal(value, other[key]), key
        else:
            assert value == other[key], key


@pytest.mark.parametrize("settings", [{}, {"delta_timestamps": DELTAS}, {"return_uint8": True}])
def test_every_item_equals_the_map_style_one(root, settings):
    whole = LeRobotDataset("a/b", root, **settings)
    items = list(stream(root, **settings))
    assert sorted(indices(items)) == list(range(26))
    for item in items:
        assert_equal(item, whole[int(item["index"])])


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
@pytest.mark.parametrize("group_rows", [None, 4])
def test_versions_and_row_groups(tmp_path, make_dataset, version, group_rows):
    root = make_dataset(tmp_path / "d", LENGTHS, version=version, group_rows=group_rows, per_file=4)
    whole = LeRobotDataset("a/b", root)
    for item in stream(root, episodes=[0, 2, 3, 5]):
        assert_equal(item, whole[int(item["index"])])


@pytest.mark.skipif(not DATA.exists(), reason="../shared/data is absent")
def test_real_recordings():
    for name in ("derived_from_v1_v30/pusht_1ep", "derived_from_v1_v21/xarm_lift_1ep", "cr5_v30_5ep_official"):
        whole = LeRobotDataset("a/b", DATA / name)
        chosen = iter(stream(DATA / name))
        for _ in range(8):
            item = next(chosen)
            assert_equal(item, whole[int(item["index"])])


def test_chosen_episodes_and_dropped_ends(numbers_only):
    dataset = stream(numbers_only, episodes=[4, 1, 2], drop_n_last_frames=2)
    # Episodes 1, 2 and 4 are frames 5, 6 to 12 and 16 to 21.
    assert sorted(indices(dataset)) == [6, 7, 8, 9, 10, 16, 17, 18, 19]
    assert len(dataset) == 9
    assert dataset.num_episodes == 3


def test_rows_of_no_more_episodes_than_the_pool_are_held(numbers_only, monkeypatch):
    from lerobot.datasets.stream.rows import ResidentRows

    held, admitted = [], []
    admit = ResidentRows.admit

    def counted(self, episode, path):
        admit(self, episode, path)
        admitted.append(episode)
        held.append(len(self.resident))

    monkeypatch.setattr(ResidentRows, "admit", counted)
    assert len(list(stream(numbers_only, episode_pool_size=2))) == 26
    assert max(held) == 2
    assert sorted(admitted) == list(range(6))


def test_images_are_decoded_only_for_items_that_are_given(root, monkeypatch):
    from lerobot.datasets.reader.images import EpisodeVideos

    decoded = []
    read = EpisodeVideos.read

    def counted(self, key, rows):
        rows = list(rows)
        decoded.extend(rows)
        return read(self, key, rows)

    monkeypatch.setattr(EpisodeVideos, "read", counted)
    dataset = stream(root, delta_timestamps={CAMERA: [-0.1, 0.0]})
    dataset.load_state_dict({"batches_consumed": 4, "batch_size": 5})
    frames = iter(dataset)
    assert decoded == []
    next(frames)
    next(frames)
    assert len(decoded) == 4


@pytest.mark.parametrize("workers", [0, 1, 3, 8])
@pytest.mark.parametrize("world_size", [1, 2])
def test_coverage_with_workers_and_processes(numbers_only, workers, world_size):
    seen = []
    for rank in range(world_size):
        dataset = stream(numbers_only, rank=rank, world_size=world_size)
        for batch in batches(DataLoader(dataset, batch_size=4, num_workers=workers)):
            seen += batch
    assert sorted(seen) == list(range(26))


def test_orders_depend_on_seed_and_epoch_alone(numbers_only):
    dataset = stream(numbers_only)
    first, second = indices(dataset), indices(dataset)
    assert first != second
    dataset.set_epoch(0)
    assert indices(dataset) == first
    assert indices(stream(numbers_only)) == first
    assert indices(stream(numbers_only, seed=43)) != first
    assert indices(stream(numbers_only, shuffle=False)) == list(range(26))


def test_the_same_order_in_another_process(numbers_only):
    code = (
        "import sys\nfrom lerobot.datasets.streaming_dataset import StreamingLeRobotDataset\n"
        "d = StreamingLeRobotDataset('a/b', sys.argv[1], episode_pool_size=3)\n"
        "print([int(item['index']) for item in d])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(numbers_only)],
        env={**os.environ, "PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(indices(stream(numbers_only)))


def test_no_other_random_numbers_are_touched(root):
    before = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
    list(stream(root))
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before


@pytest.mark.parametrize(
    ("workers", "drop_last"),
    [
        *((0, False), (1, True), (3, False)),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in ((0, True), (1, False), (3, True))),
    ],
)
def test_a_resumed_loader_gives_the_batches_that_were_left(numbers_only, workers, drop_last):
    def loader(state=None, persistent=False):
        dataset = stream(numbers_only, seed=5)
        if state is not None:
            dataset.load_state_dict(state)
        return DataLoader(
            dataset, batch_size=4, num_workers=workers, drop_last=drop_last, persistent_workers=persistent
        )

    whole = loader(persistent=workers > 0)
    uninterrupted = batches(whole) + batches(whole)
    state_of = stream(numbers_only, seed=5).state_dict
    for consumed in (0, 1, 5, len(uninterrupted) - 2):
        state = state_of(consumed, 4, num_workers=workers, drop_last=drop_last)
        resumed = loader(pickle.loads(pickle.dumps(state)))
        rest = batches(resumed)
        while len(rest) < len(uninterrupted) - consumed:
            rest += batches(resumed)
        assert rest == uninterrupted[consumed:], consumed


def test_a_state_of_its_own_is_where_it_was_left(numbers_only):
    dataset = stream(numbers_only)
    first, second = indices(dataset), indices(dataset)
    interrupted = stream(numbers_only)
    frames = iter(interrupted)
    begun = [int(next(frames)["index"]) for _ in range(9)]
    state = interrupted.state_dict()
    resumed = stream(numbers_only)
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    assert begun + indices(resumed) == first
    assert indices(resumed) == second


@pytest.mark.parametrize(
    ("change", "key"),
    [({"seed": 1}, "seed"), ({"episode_pool_size": 4}, "episode_pool_size"), ({"episodes": [0]}, "ep")],
)
def test_a_state_of_another_order_is_refused(numbers_only, change, key):
    state = stream(numbers_only).state_dict(3, 4)
    with pytest.raises(DatasetError, match=f"the state has {key}"):
        stream(numbers_only, **change).load_state_dict(state)


def test_a_state_of_another_number_of_workers_is_refused(numbers_only):
    dataset = stream(numbers_only)
    dataset.load_state_dict(dataset.state_dict(3, 4, num_workers=2))
    with pytest.raises(DatasetError, match="the state is of 2 workers"):
        iter(dataset)


def test_workers_move_on_by_themselves_whether_they_stay_or_not(numbers_only):
    def epochs(persistent):
        loader = DataLoader(stream(numbers_only), batch_size=4, num_workers=2, persistent_workers=persistent)
        return [batches(loader) for _ in range(3)]

    staying = epochs(persistent=True)
    assert staying == epochs(persistent=False)
    assert staying[0] != staying[1] != staying[2]


def test_spawned_workers_and_copies(root):
    dataset = pickle.loads(pickle.dumps(stream(root)))
    expected = batches(DataLoader(stream(root), batch_size=5, num_workers=1))
    loader = DataLoader(dataset, batch_size=5, num_workers=1, multiprocessing_context="spawn")
    assert batches(loader) == expected


def test_leaving_early_leaves_nothing_open(root):
    def held() -> tuple[int, int]:
        # What earlier tests left to the collector must not go in between.
        gc.collect()
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    dataset = stream(root)
    before = held()
    for _ in range(3):
        frames = iter(dataset)
        next(frames)
        frames.close()
    assert held() == before


def test_errors_name_the_file(tmp_path, make_dataset):
    root = make_dataset(tmp_path / "d", LENGTHS, video=True)
    (root / f"videos/{CAMERA}/chunk-000/file-001.mp4").unlink()
    with pytest.raises(DatasetError, match=r"file-001\.mp4 is missing"):
        list(stream(root))
    path = root / "data/chunk-000/file-002.parquet"
    pq.write_table(pq.read_table(path).slice(0, 3), path)
    with pytest.raises(DatasetError, match=r"file-002\.parquet has .* rows of episode"):
        list(stream(root, episodes=[4, 5]))
    path.unlink()
    with pytest.raises(DatasetError, match="is missing, with the rows of episode"):
        list(stream(root, episodes=[4]))


@pytest.mark.parametrize(
    "settings",
    [
        {"episode_pool_size": 0},
        {"prefetch_episodes": -1},
        {"episodes": [6]},
        {"episodes": []},
        {"drop_n_last_frames": -1},
    ],
)
def test_settings_out_of_range(numbers_only, settings):
    with pytest.raises(DatasetError):
        stream(numbers_only, **settings)


def test_unknown_windows_and_ranks(numbers_only):
    with pytest.raises(FeatureMismatchError):
        stream(numbers_only, delta_timestamps={"nothing": [0.0]})
    with pytest.raises(DatasetError, match="rank 2 of 2"):
        iter(stream(numbers_only, rank=2, world_size=2))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_first_item_waits_for_its_own_episode_alone(root, monkeypatch, seed):
    """Not for the files and rows of the whole pool, and only its own image is decoded."""
    from lerobot.datasets.reader.images import EpisodeVideos
    from lerobot.datasets.stream.files import LocalFiles
    from lerobot.datasets.stream.rows import ResidentRows

    waited, wanted, admitted, decoded = [], [], [], []
    admit, read = ResidentRows.admit, EpisodeVideos.read

    def note_admit(self, episode, path):
        admitted.append(episode)
        admit(self, episode, path)

    def note_read(self, key, rows):
        rows = list(rows)
        decoded.extend(rows)
        return read(self, key, rows)

    monkeypatch.setattr(LocalFiles, "want", lambda _, paths: wanted.append(list(paths)))
    monkeypatch.setattr(LocalFiles, "wait", lambda _, paths: waited.extend(paths))
    monkeypatch.setattr(ResidentRows, "admit", note_admit)
    monkeypatch.setattr(EpisodeVideos, "read", note_read)
    frames = iter(stream(root, episode_pool_size=6, seed=seed))
    item = next(frames)
    assert admitted == [int(item["episode_index"])]
    assert decoded == [(int(item["episode_index"]), int(item["frame_index"]))]
    assert waited == wanted[0], "its files are asked for before those of the rest of the pool"
    assert len(wanted) == 6
    next(frames)
    assert len(decoded) == 2

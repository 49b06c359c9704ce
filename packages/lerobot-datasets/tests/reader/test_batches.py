"""Batches of a `DataLoader`: those of plain dicts, but without copies, in memory that is used again when it is free."""

import gc
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, default_collate

from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.reader.items import whole_of
from lerobot.datasets.reader.memory import ImageMemory

CAMERA = "observation.images.cam"
ROWS = [3, 0, 9, 9, 4]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, make_dataset: Callable[..., Path]) -> Path:
    return make_dataset(tmp_path_factory.mktemp("batches") / "data", [6, 4], video=True)


def plain(dataset: LeRobotDataset, rows: list[int]) -> dict[str, Any]:
    """What torch makes of frames that were read one at a time."""
    batch: dict[str, Any] = default_collate([dict(dataset[row]) for row in rows])
    return batch


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert list(found) == list(expected)
    for key, value in expected.items():
        if isinstance(value, torch.Tensor):
            assert found[key].dtype == value.dtype
            assert torch.equal(found[key], value), key
        else:
            assert found[key] == value


@pytest.mark.parametrize("workers", [None, "fork", pytest.param("spawn", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"return_uint8": True},
        {"delta_timestamps": {CAMERA: [-0.1, 0.0, 0.1], "action": [0.0, 0.1]}},
        {"image_transforms": torch.nn.Upsample(scale_factor=0.5)},
    ],
    ids=["floats", "bytes", "windows", "transforms"],
)
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_batches_are_those_of_plain_dicts(root: Path, kwargs: dict[str, Any], workers: str | None) -> None:
    dataset = LeRobotDataset("me/data", root, **kwargs)
    context = None if workers is None else multiprocessing.get_context(workers)
    loader = DataLoader(
        dataset, batch_sampler=[ROWS, [1]], num_workers=0 if workers is None else 1, multiprocessing_context=context
    )
    first, second = loader
    assert_same(first, plain(dataset, ROWS))
    assert_same(second, plain(dataset, [1]))
    assert type(first) is dict


def test_a_batch_is_not_copied(root: Path) -> None:
    dataset = LeRobotDataset("me/data", root)
    items = dataset.__getitems__(ROWS)
    batch = default_collate(items)
    for key in (CAMERA, "action"):
        assert batch[key].data_ptr() == items[0][key].data_ptr()
    # In another order they are no longer rows of one tensor in turn.
    turned = default_collate(items[::-1])
    assert_same(turned, plain(dataset, ROWS[::-1]))


def test_items_are_dicts_that_may_be_changed(root: Path) -> None:
    dataset = LeRobotDataset("me/data", root)
    items = dataset.__getitems__(ROWS)
    assert isinstance(items[0], dict)
    items[2]["action"] = items[2]["action"] + 100
    for item in items:
        item["own"] = torch.ones(2)
    expected = default_collate([dict(item) for item in items])
    assert_same(default_collate(items), expected)


def test_what_is_held_is_not_written_again(root: Path) -> None:
    dataset = LeRobotDataset("me/data", root)
    held = [dataset.__getitems__([row, row + 1]) for row in range(8)]
    views = [pair[1][CAMERA].numpy()[:, ::2] for pair in held]
    kept = [pair[0][CAMERA] for pair in held]
    del held
    gc.collect()
    for row in range(8):
        dataset.__getitems__([9 - row, row])
    for row in range(8):
        assert torch.equal(kept[row], dataset[row][CAMERA])
        assert np.array_equal(views[row], dataset[row + 1][CAMERA].numpy()[:, ::2])


def test_what_is_free_is_used_again() -> None:
    memory = ImageMemory(2)
    places = set()
    for _ in range(10):
        current, following = (memory.empty((4, 3, 50, 50), torch.float32) for _ in range(2))
        assert current.data_ptr() != following.data_ptr()
        assert current.data_ptr() % 64 == 0
        places |= {current.data_ptr(), following.data_ptr()}
        del current, following
    assert len(places) == 2


def test_memory_of_another_size_is_not_kept_for_ever() -> None:
    memory = ImageMemory(1)
    large = memory.empty((100, 1000), torch.float32)
    place = large.data_ptr()
    del large
    small = memory.empty((10, 10), torch.float32)
    assert small.data_ptr() != place
    assert memory.empty((90, 1000), torch.float32).data_ptr() == place
    assert memory.empty((0, 3), torch.uint8).shape == (0, 3)


@given(
    rows=st.lists(st.integers(0, 5), min_size=1, max_size=6),
    start=st.integers(0, 5),
    shape=st.lists(st.integers(1, 3), max_size=2).map(tuple),
)
def test_rows_of_one_tensor(rows: list[int], start: int, shape: tuple[int, ...]) -> None:
    whole = torch.arange(12 * int(np.prod(shape))).view(12, *shape)
    consecutive = whole[start : start + len(rows)].unbind()
    found = whole_of(consecutive)
    assert found is not None
    assert torch.equal(found, torch.stack(consecutive))
    assert found.data_ptr() == whole[start].data_ptr()
    chosen = [whole[row] for row in rows]
    found = whole_of(chosen)
    in_turn = rows == list(range(rows[0], rows[0] + len(rows)))
    assert (found is not None) == in_turn
    if found is not None:
        assert torch.equal(found, torch.stack(chosen))


@pytest.mark.parametrize(
    "rows",
    [
        [torch.ones(2), "text"],
        [torch.ones(2), torch.ones(2)],
        [torch.ones(2, requires_grad=True)],
        [torch.ones(2, 3).T],
        [torch.ones(0)],
        ["a", "b"],
        [*torch.ones(2, 2).unbind(), torch.ones(2, dtype=torch.int64)],
        [torch.nn.Parameter(torch.ones(2), requires_grad=False)],
    ],
)
def test_what_is_no_whole(rows: list[Any]) -> None:
    assert whole_of(rows) is None

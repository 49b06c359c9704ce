"""Any view equals the slice of the whole dataset."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.datasets.dataset.views import FrameSubset, MixtureDataset, hold_out, split, split_episodes, subset, window
from lerobot.datasets.format.stats_json import Stats
from lerobot.datasets.lerobot_dataset import LeRobotDataset

CAMERA = "observation.images.cam"
LENGTHS = [5, 1, 7, 3, 6]
DELTAS = {"action": [-0.1, 0.0, 0.3], CAMERA: [-0.1, 0.0]}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    make = request.getfixturevalue("make_dataset")
    path: Path = make(tmp_path_factory.mktemp("views") / "d", LENGTHS, video=True)
    return path


@pytest.fixture(scope="module")
def whole(root: Path) -> LeRobotDataset:
    return LeRobotDataset("a/b", root, delta_timestamps=DELTAS)


@pytest.fixture(scope="module")
def items(whole: LeRobotDataset) -> Callable[[Any], Any]:
    """Every item, by index or slice; a function, because hypothesis prints its arguments."""
    every = whole[:]
    return lambda index: every[index]


def equal(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(first[key], second[key]) if isinstance(first[key], torch.Tensor) else first[key] == second[key]
        for key in first
    )


cuts = st.tuples(st.integers(-9, 9), st.integers(-9, 20))
picks = st.lists(st.integers(0, 99), max_size=6)


@settings(max_examples=30, deadline=None)
@given(
    episodes=st.lists(st.integers(0, 4), min_size=1, max_size=5, unique=True),
    by_constructor=st.booleans(),
    steps=st.lists(st.one_of(cuts, picks), max_size=3),
)
def test_any_view_equals_the_slice(
    root: Path,
    whole: LeRobotDataset,
    items: Callable[[Any], Any],
    episodes: list[int],
    by_constructor: bool,
    steps: list[tuple[int, int] | list[int]],
) -> None:
    """Promise 9, over compositions of episodes, windows and subsets of each other."""
    expected = np.flatnonzero(np.isin(np.repeat(np.arange(5), LENGTHS), episodes))
    view: Any = subset(whole, episodes)
    if by_constructor:
        view = LeRobotDataset("a/b", root, episodes=episodes, delta_timestamps=DELTAS)
    for step in steps:
        if isinstance(step, tuple):
            view, expected = window(view, *step), expected[slice(*step)]
        elif len(expected):
            chosen = [pick % (2 * len(expected)) - len(expected) for pick in step]
            view, expected = FrameSubset(view, chosen), expected[np.array(chosen, np.int64)]
    assert len(view) == len(expected)
    found = view.__getitems__(range(len(view)))
    assert all(equal(item, items(index)) for item, index in zip(found, expected, strict=True))


def test_a_loader_over_a_view_reads_its_frames(whole: LeRobotDataset, items: Callable[[Any], Any]) -> None:
    view = window(whole, 3, 15)
    loader = torch.utils.data.DataLoader(view, batch_size=5, num_workers=2)
    batches = list(loader)
    assert torch.equal(
        torch.cat([batch[CAMERA] for batch in batches]), torch.stack([i[CAMERA] for i in items(slice(3, 15))])
    )


def test_splits_share_out_whole_episodes(whole: LeRobotDataset) -> None:
    parts = split(whole, {"train": 0.6, "val": 0.2, "test": 0.2})
    assert [len(part) for part in parts.values()] == [13, 3, 6]
    assert split_episodes(range(10), {"a": 0.33, "b": 0.67}) == {"a": [0, 1, 2], "b": [3, 4, 5, 6, 7, 8, 9]}
    assert split_episodes(range(10), {"a": 0.3, "b": 0.3}) == {"a": [0, 1, 2], "b": [3, 4, 5]}
    for fractions in ({}, {"a": 0.0}, {"a": 0.7, "b": 0.4}):
        with pytest.raises(DatasetError, match="split fractions"):
            split_episodes(range(10), fractions)


def test_the_last_episodes_of_every_task_are_held_out(whole: LeRobotDataset) -> None:
    """Tasks alternate: 0 has episodes 0, 2, 4 and 1 has 1, 3."""
    assert hold_out(whole.meta, 0.5) == ([0, 1], [2, 3, 4])
    with pytest.raises(DatasetError, match="between 0 and 1"):
        hold_out(whole.meta, 1.0)


def test_a_mixture_is_its_datasets_one_after_the_other(whole: LeRobotDataset, root: Path) -> None:
    other = LeRobotDataset("a/c", root, episodes=[2], delta_timestamps={"action": [0.0]})
    mixture = MixtureDataset([whole, other], [{"action": "command"}, {"action": "command"}])
    assert len(mixture) == 29
    found = mixture.__getitems__([28, 0, -7, 21])
    assert [item["dataset_index"] for item in found] == [1, 0, 1, 0]
    for item, (dataset, index) in zip(found, [(other, 6), (whole, 0), (other, 0), (whole, 21)], strict=True):
        expected = {
            ("command" if k == "action" else k.replace("action_", "command_")): v for k, v in dataset[index].items()
        }
        del item["dataset_index"]
        assert equal(item, expected)
    with pytest.raises(IndexError):
        mixture[29]


def test_a_mixture_keeps_what_is_shared_and_refuses_what_differs(whole: LeRobotDataset) -> None:
    mixture = MixtureDataset([whole, whole], [{}, {"action": "other"}])
    assert "action" not in mixture.features
    assert not any(key.startswith(("action", "other")) for key in mixture[0])
    with pytest.raises(FeatureMismatchError, match=r"in dataset 1 and .* in dataset 0"):
        MixtureDataset([whole, whole], [{}, {"action": "observation.state", "observation.state": "action"}])
    with pytest.raises(FeatureMismatchError, match="names velocity"):
        MixtureDataset([whole], [{"velocity": "action"}])
    with pytest.raises(FeatureMismatchError, match="gives index to two features"):
        MixtureDataset([whole], [{"action": "index"}])


def test_the_statistics_of_a_mixture_are_those_of_all_its_rows(whole: LeRobotDataset) -> None:
    def stats(values: np.ndarray) -> Stats:
        one = {name: np.atleast_1d(getattr(values, name)()) for name in ("min", "max", "mean", "std")}
        return {"action": {**one, "count": np.array([len(values)])}}

    first, second = np.arange(10.0), np.arange(30.0) * 2 - 5
    joined = MixtureDataset([whole, whole], stats=[stats(first), stats(second)]).stats["action"]
    for name, value in stats(np.concatenate([first, second]))["action"].items():
        np.testing.assert_allclose(joined[name], value, rtol=1e-12)

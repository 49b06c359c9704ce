"""A tokenizer of actions is fitted to what a policy will see."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot.core.config import load
from lerobot.core.errors import ConfigError, DatasetError, FeatureMismatchError, LeRobotError
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.policies.processing.fast import FastCodec
from lerobot.training.commands.train_tokenizer import TrainTokenizerConfig
from lerobot.training.tokenizer.command import train_tokenizer


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("waves") / "data"
    vector = {"dtype": "float32", "shape": (3,), "names": ["a", "b", "c"]}
    made = LeRobotDataset.create("me/waves", 30, {"observation.state": vector, "action": vector}, folder)
    random = np.random.default_rng(0)
    for length in (40, 30, 5):
        walk = np.cumsum(random.normal(size=(length, 3)), axis=0).astype(np.float32) * [1, 5, 0.1]
        for row in walk.astype(np.float32):
            made.add_frame({"observation.state": row - 1, "action": row, "task": "wave"})
        made.save_episode()
    made.finalize()
    return folder


def fitted(data: Path, folder: Path, *flags: str) -> tuple[FastCodec, dict[str, Any]]:
    config = load(TrainTokenizerConfig, ["--repo_id=me/waves", f"--root={data}", f"--output_dir={folder}", *flags])
    assert train_tokenizer(config.config) == 0
    return FastCodec.from_pretrained(folder), json.loads((folder / "metadata.json").read_text())


def actions(data: Path) -> list[np.ndarray[Any, Any]]:
    dataset = LeRobotDataset("me/waves", data)
    table = dataset.select_columns(["action", "episode_index"]).with_format("numpy")[:]
    return [table["action"][table["episode_index"] == episode] for episode in range(3)]


@pytest.mark.parametrize("mode", ["QUANTILES", "MEAN_STD", "MIN_MAX", "IDENTITY"])
def test_it_encodes_what_the_policy_sees(data: Path, tmp_path: Path, mode: str) -> None:
    flags = ("--sample_fraction=1", "--vocab_size=4000", f"--normalization_mode={mode}")
    codec, report = fitted(data, tmp_path, *flags)
    stats = LeRobotDataset("me/waves", data).meta.stats["action"]
    low, high = {"QUANTILES": ("q01", "q99"), "MIN_MAX": ("min", "max")}.get(mode, ("mean", "std"))
    chunk = actions(data)[0][7:17].astype(np.float64)
    if mode == "MEAN_STD":
        chunk = (chunk - stats[low]) / stats[high]
    elif mode != "IDENTITY":
        chunk = 2 * (chunk - stats[low]) / (stats[high] - stats[low]) - 1
    assert np.abs(codec.decode(codec(chunk[None])[0], 10, 3) - chunk).max() <= 10**0.5 / 20 + 1e-6
    assert (codec.time_horizon, codec.action_dim) == (10, 3)
    # 31 and 21 chunks; the third episode is too short.
    assert report["num_training_chunks"] == 52
    assert report["compression_stats"]["largest_error"] <= 10**0.5 / 20 + 1e-6


def test_chosen_numbers_relative_to_the_state(data: Path, tmp_path: Path) -> None:
    flags = ("--sample_fraction=1", "--use_relative_transform", "--relative_dims=1", "--normalization_mode=IDENTITY")
    codec, _ = fitted(data, tmp_path, *flags, "--encoded_dims=1:3", "--action_horizon=4", "--vocab_size=4000")
    walk = actions(data)[1][3:7, 1:3].astype(np.float64)
    walk[:, 0] -= walk[0, 0] - 1
    assert np.abs(codec.decode(codec(walk[None])[0], 4, 2) - walk).max() <= 0.1 + 1e-6


def test_a_part_of_the_chunks_is_drawn_the_same_each_time(data: Path, tmp_path: Path) -> None:
    first, report = fitted(data, tmp_path / "a", "--sample_fraction=0.5", "--max_episodes=1")
    second, _ = fitted(data, tmp_path / "b", "--sample_fraction=0.5", "--max_episodes=1")
    assert report["num_training_chunks"] == 15
    assert first.merges.to_str() == second.merges.to_str()


@pytest.mark.parametrize(
    ("flags", "error", "text"),
    [
        (["--action_horizon=50"], DatasetError, "no episode has 50 frames"),
        (["--encoded_dims=0:9"], FeatureMismatchError, "number 3 is asked for"),
        (["--encoded_dims=first"], FeatureMismatchError, "names no numbers"),
        (["--use_relative_transform", "--relative_dims=0", "--state_key=x"], FeatureMismatchError, "has no 'x'"),
        (["--normalization_mode=IDENTITY", "--vocab_size=20"], LeRobotError, "coefficients reach from"),
        (["--use_relative_transform"], ConfigError, "relative_dims"),
        (["--push_to_hub"], ConfigError, "hub_repo_id"),
    ],
)
def test_what_cannot_be_done_is_said(
    data: Path, tmp_path: Path, flags: list[str], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        fitted(data, tmp_path, *flags)
    assert not any(tmp_path.iterdir())


def test_another_tokenizer_is_not_written_over(data: Path, tmp_path: Path) -> None:
    fitted(data, tmp_path)
    with pytest.raises(LeRobotError, match="holds a tokenizer"):
        fitted(data, tmp_path)

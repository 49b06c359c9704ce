"""What `lerobot train-tokenizer` does."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError, FeatureMismatchError, LeRobotError
from lerobot.core.processors import TransitionKey, build_step
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.policies.features import ACTION, FeatureType, NormalizationMode, PolicyFeature
from lerobot.policies.processing.config import NormalizerConfig
from lerobot.policies.processing.fast import FastCodec
from lerobot.policies.processing.modes import NEEDED
from lerobot.training.commands.train_tokenizer import TrainTokenizerConfig
from lerobot.training.publication import uploading

logger = logging.getLogger(__name__)

_MEASURED = 1000
"""Chunks that the report looks at."""

Chunks = NDArray[np.float64]


def train_tokenizer(config: TrainTokenizerConfig) -> int:
    """Fit a FAST tokenizer to chunks of a dataset's actions, save it, and say how short and how exact it is.

    Raises:
        DatasetError: there is no such dataset, or no episode is long enough.
        FeatureMismatchError: a number of the action, the state or a statistic that is asked for is not there.
        LeRobotError: there are too few codes; or the upload failed.
    """
    folder = config.output_dir or Path(f"fast_tokenizer_{config.repo_id.replace('/', '_')}")
    if (folder / "tokenizer.json").exists():
        raise LeRobotError(f"{folder} holds a tokenizer", hint="Choose another --output_dir, or delete it.")
    first = None if config.max_episodes is None else range(config.max_episodes)
    dataset = _opened(config, first)
    raw = _chunks(config, dataset)
    wanted = _numbers_of(config.encoded_dims, raw.shape[2])
    chunks = _scaled(raw[:, :, wanted], dataset.meta.stats.get(ACTION, {}), wanted, config.normalization_mode)
    logger.info("fitting %d codes to %d chunks of %d x %d", config.vocab_size, *chunks.shape)
    codec = FastCodec.fit(chunks, scale=config.scale, vocab_size=config.vocab_size)
    found = _measured(codec, chunks)
    codec.save_pretrained(folder)
    settings = config.model_dump(mode="json", exclude={"root", "output_dir", "push_to_hub", "hub_repo_id"})
    report = {**settings, "num_training_chunks": len(chunks), "compression_stats": found}
    (folder / "metadata.json").write_text(json.dumps(report, indent=2) + "\n")
    numbers = chunks.shape[1] * chunks.shape[2]
    mean, longest, error = (found[name] for name in ("mean_token_length", "max_token_length", "largest_error"))
    logger.info("a chunk of %d numbers takes %.1f codes, at most %d", numbers, mean, longest)
    logger.info("it comes back within %.3f of its scaled numbers; saved: %s", error, folder)
    if config.push_to_hub:
        _publish(folder, str(config.hub_repo_id), private=config.hub_private)
    return 0


def _opened(config: TrainTokenizerConfig, first: Sequence[int] | None) -> LeRobotDataset:
    whole = LeRobotDataset(config.repo_id, config.root, download_videos=False)
    if first is None or len(first) >= whole.num_episodes:
        return whole
    return LeRobotDataset(config.repo_id, config.root, episodes=list(first), download_videos=False)


def _chunks(config: TrainTokenizerConfig, dataset: LeRobotDataset) -> Chunks:
    """Give chosen chunks `(N, T, Da)` of each episode, in the dataset's units."""
    relative = config.use_relative_transform
    keys = [ACTION, config.state_key] if relative else [ACTION]
    if missing := [key for key in keys if key not in dataset.meta.features]:
        raise FeatureMismatchError(
            f"the dataset has no {missing[0]!r}", keys=missing, expected=f"one of {', '.join(dataset.meta.features)}"
        )
    table = dataset.select_columns([*keys, "episode_index"]).with_format("numpy")[:]
    found = []
    for episode in np.unique(table["episode_index"]):
        rows = table["episode_index"] == episode
        actions = np.asarray(table[ACTION][rows], dtype=np.float64)
        starts = _chosen(int(episode), len(actions) - config.action_horizon + 1, config.sample_fraction)
        windows = actions[starts[:, None] + np.arange(config.action_horizon)]
        if relative:
            states = np.asarray(table[config.state_key][rows], dtype=np.float64)[starts]
            moved = _numbers_of(config.relative_dims, min(actions.shape[1], states.shape[1]))
            windows[:, :, moved] -= states[:, None, moved]
        found.append(windows)
    chunks = np.concatenate(found)
    if not len(chunks):
        raise DatasetError(f"no episode has {config.action_horizon} frames", expected="a smaller action_horizon")
    return chunks


def _chosen(episode: int, count: int, fraction: float) -> NDArray[np.int64]:
    """Starts of chunks, drawn by the number of the episode: the same each time."""
    if count <= 0:
        return np.zeros(0, dtype=np.int64)
    if fraction == 1:
        return np.arange(count)
    return np.random.RandomState(episode).choice(count, size=max(1, int(count * fraction)), replace=False)


def _numbers_of(text: str | None, width: int) -> list[int]:
    """Read `0:6,7:23` or `0,1,2`."""
    found = list(range(width)) if text is None else list(_parsed(text))
    if outside := [number for number in found if not 0 <= number < width]:
        raise FeatureMismatchError(
            f"number {outside[0]} is asked for in {text!r}", keys=[ACTION], expected=f"0 to {width - 1}"
        )
    return found


def _parsed(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, colon, last = part.strip().partition(":")
        try:
            yield from range(int(first), int(last)) if colon else [int(first)]
        except ValueError as error:
            raise FeatureMismatchError(
                f"{part!r} names no numbers of an action", keys=[ACTION], expected="such as 0:6,7:23 or 0,1,2"
            ) from error


def _scaled(chunks: Chunks, stats: Mapping[str, Any], wanted: Sequence[int], mode: NormalizationMode) -> Chunks:
    """Scale by the step that scales for the policy."""
    chosen = {name: np.asarray(stats[name]).reshape(-1)[list(wanted)] for name in NEEDED[mode] if name in stats}
    action = PolicyFeature(type=FeatureType.ACTION, shape=(len(wanted),))
    config = NormalizerConfig(features={ACTION: action}, norm_map={FeatureType.ACTION: mode})
    step = build_step(config, {"stats": {ACTION: chosen}})
    scaled: Chunks = step({TransitionKey.ACTION: torch.from_numpy(chunks)})[TransitionKey.ACTION].numpy()
    return scaled


def _measured(codec: FastCodec, chunks: Chunks) -> dict[str, float]:
    """Say how long codes are, and how far from a chunk they lead back."""
    count = min(_MEASURED, len(chunks))
    chosen = chunks[np.random.RandomState(42).choice(len(chunks), size=count, replace=False)]
    said = codec(chosen)
    lengths = np.array([len(each) for each in said])
    back = np.stack([codec.decode(each, *chosen.shape[1:]) for each in said])
    return {
        "compression_ratio": chosen[0].size / float(lengths.mean()),
        "mean_token_length": float(lengths.mean()),
        "p99_token_length": float(np.percentile(lengths, 99)),
        "min_token_length": float(lengths.min()),
        "max_token_length": float(lengths.max()),
        "largest_error": float(np.abs(back - chosen).max()),
    }


def _publish(folder: Path, repository: str, *, private: bool) -> None:
    from huggingface_hub import HfApi

    api = HfApi()
    with uploading("tokenizer", folder, repository):
        url = api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(repo_id=url.repo_id, folder_path=folder, commit_message="Upload FAST tokenizer")
    logger.info("published: %s", url)

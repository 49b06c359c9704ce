"""What `lerobot train-reward-classifier` does."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.core.images import network_images
from lerobot.datasets.dataset.views import hold_out
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.hilserl.classifier.files import TrainedClassifier
from lerobot.hilserl.classifier_config import ClassifierConfig
from lerobot.hilserl.commands.train_reward_classifier import TrainRewardClassifierConfig
from lerobot.policies.features import FeatureType, features_of_dataset
from lerobot.training.checkpoints import random_state
from lerobot.training.learner.gradients import clip_gradients
from lerobot.training.refusal import require_new

logger = logging.getLogger(__name__)

LAST = "is_last_observation"
"""Rows of recordings of `train-rl` that have no action and so no label."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a classifier judges frames that it has not seen.

    Attributes:
        frames: how many.
        accuracy: part that is judged right.
        precision: part of those judged solved that are.
        recall: part of those solved that are judged so.
    """

    frames: int
    accuracy: float
    precision: float
    recall: float


def train_reward_classifier(config: TrainRewardClassifierConfig) -> Evaluation:
    """Run the command.

    Returns:
        How it judges the episodes held out.

    Raises:
        LeRobotError: the dataset has no labels or pictures, or all labels are the same; the folder is taken.
    """
    require_new(config.output_dir)
    dataset = LeRobotDataset(
        config.dataset.repo_id, config.dataset.root, config.dataset.episodes, revision=config.dataset.revision
    )
    labels = _labels(dataset, config.label, binary=config.classifier.num_classes == 2)
    classifier = _with_pictures(config.classifier, dataset)
    learned, held = _split(dataset, labels, config.eval_split)
    with random_state.aside(config.seed):
        trained = TrainedClassifier.new(classifier, dataset.meta.stats)
        _train(trained, dataset, labels, learned, config)
        result = evaluate(trained, dataset, labels, held)
    trained.save(config.output_dir)
    logger.info(
        "%s: of %d frames held out %.1f %% right; precision %.1f %%, recall %.1f %%",
        config.output_dir, result.frames, 100 * result.accuracy, 100 * result.precision, 100 * result.recall,
    )  # fmt: skip
    return result


def _labels(dataset: LeRobotDataset, key: str, *, binary: bool) -> NDArray[np.float32]:
    """Labels of all frames; NaN where there is none."""
    if key not in dataset.features:
        raise FeatureMismatchError(
            f"{dataset.repo_id} has no {key!r}",
            keys=[key],
            expected=f"one of {', '.join(k for k in dataset.features if k.startswith('next.')) or 'next.reward, ...'}",
        )
    rows = dataset.read_arrays(range(len(dataset)), pictures=False)
    found = np.array([float(np.asarray(row[key]).reshape(())) for row in rows], np.float32)
    if binary:
        found = (found > 0.5).astype(np.float32)
    found[[bool(np.asarray(row.get(LAST, False)).reshape(())) for row in rows]] = np.nan
    if len(np.unique(found[~np.isnan(found)])) < 2:
        raise DatasetError(
            f"all frames of {dataset.repo_id} have the same {key}",
            expected="frames that show it and frames that do not",
        )
    return found


def _with_pictures(config: ClassifierConfig, dataset: LeRobotDataset) -> ClassifierConfig:
    provided = features_of_dataset(dataset.features)
    pictures = {key: each for key, each in provided.items() if each.type is FeatureType.VISUAL}
    inputs = config.input_features or pictures
    if missing := [key for key in inputs if key not in pictures]:
        raise FeatureMismatchError(f"{dataset.repo_id} has no {', '.join(missing)}", keys=missing)
    return config.model_copy(update={"input_features": inputs, "num_cameras": len(inputs)})


def _split(dataset: LeRobotDataset, labels: NDArray[np.float32], share: float) -> tuple[list[int], list[int]]:
    """Frames with labels, of the episodes to learn from and of those held out."""
    if dataset.num_episodes < 2:
        raise DatasetError(f"{dataset.repo_id} has one episode", expected="at least two, one of them to evaluate on")
    _, held = hold_out(dataset.meta, share)
    chosen = set(held) & set(dataset.episode_indices.tolist())
    if not chosen or len(chosen) == dataset.num_episodes:
        chosen = set(dataset.episode_indices.tolist()[-max(1, round(dataset.num_episodes * share)) :])
    parts: tuple[list[int], list[int]] = [], []
    starts, stops = dataset.episode_bounds
    for number, start, stop in zip(dataset.episode_indices.tolist(), starts.tolist(), stops.tolist(), strict=True):
        parts[number in chosen].extend(index for index in range(start, stop) if not np.isnan(labels[index]))
    return parts


def _train(
    trained: TrainedClassifier,
    dataset: LeRobotDataset,
    labels: NDArray[np.float32],
    frames: Sequence[int],
    config: TrainRewardClassifierConfig,
) -> None:
    settings, network = trained.network.config, trained.network
    parameters = [each for each in network.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    draw = np.random.default_rng(config.seed)
    # Success is rare: as many frames of every label as of another.
    by_label = [[each for each in frames if labels[each] == value] for value in np.unique(labels[list(frames)])]
    network.train()
    for step in range(1, config.steps + 1):
        share = -(-config.batch_size // len(by_label))
        chosen = [int(draw.choice(group)) for group in by_label for _ in range(share)][: config.batch_size]
        loss, right = network.loss(*_batch(trained, dataset, labels, chosen))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        clip_gradients(parameters, settings.grad_clip_norm)
        optimizer.step()
        if step % config.log_freq == 0 or step == config.steps:
            logger.info("step %d  loss %.4g  right %.1f %%", step, float(loss.detach()), 100 * float(right))
    network.eval()


def evaluate(
    trained: TrainedClassifier, dataset: LeRobotDataset, labels: NDArray[np.float32], frames: Sequence[int]
) -> Evaluation:
    """Judge frames, and count.

    Args:
        trained: the classifier.
        dataset: has them.
        labels: of all its frames.
        frames: those to judge.
    """
    said: list[float] = []
    with torch.no_grad():
        for start in range(0, len(frames), 64):
            images, _ = _batch(trained, dataset, labels, frames[start : start + 64])
            rewards = trained.network.rewards(images)
            said += (rewards >= 0.5).float().tolist() if trained.network.config.num_classes == 2 else rewards.tolist()
    found, wanted = np.array(said), labels[list(frames)]
    solved, positive = wanted > 0, found > 0
    both = float((solved & positive).sum())
    return Evaluation(
        len(frames),
        float((found == wanted).mean()),
        both / max(1.0, float(positive.sum())),
        both / max(1.0, float(solved.sum())),
    )


def _batch(
    trained: TrainedClassifier, dataset: LeRobotDataset, labels: NDArray[np.float32], frames: Sequence[int]
) -> tuple[dict[str, Tensor], Tensor]:
    rows = dataset.read_arrays(frames)
    images = {
        key: network_images(torch.from_numpy(np.stack([row[key] for row in rows]))) for key in trained.network.cameras
    }
    ready = trained.preprocessor(images)
    device = next(trained.network.parameters()).device
    return {key: ready[key] for key in images}, torch.from_numpy(labels[list(frames)]).to(device)

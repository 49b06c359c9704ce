"""Configuration of `lerobot train-reward-classifier`."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from lerobot.core.config.base import CommandConfig
from lerobot.hilserl.classifier_config import ClassifierConfig
from lerobot.training.config import EpisodesConfig


class TrainRewardClassifierConfig(CommandConfig):
    """Train a classifier that tells from pictures whether the task is solved, and evaluate it on episodes held out.

    Afterwards: --detector.type=reward_classifier --detector.path=FOLDER while a policy acts, or label a dataset with
    --operation.reward_model.type=reward_classifier of edit-dataset.
    """

    target: ClassVar[str] = "lerobot.hilserl.classifier.command:train_reward_classifier"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot train-reward-classifier --dataset.repo_id=me/cube --output_dir=outputs/classifier",
        "lerobot train-reward-classifier --dataset.repo_id=me/cube --classifier.model_name=./resnet-18 --steps=2000",
    )

    dataset: EpisodesConfig = Field(description="Recordings with labels.")
    classifier: ClassifierConfig = Field(default_factory=ClassifierConfig, description="The classifier.")
    label: str = Field(default="next.reward", description="Column of the labels, such as next.success.")
    output_dir: Path = Field(default=Path("outputs/reward_classifier"), description="Folder to write.")
    steps: int = Field(default=1000, gt=0, description="Batches to train on.")
    batch_size: int = Field(default=32, gt=0, description="Frames per batch; of each label as many, if there are two.")
    eval_split: float = Field(default=0.2, gt=0, lt=1, description="Share of the episodes of each task to evaluate on.")
    log_freq: int = Field(default=100, gt=0, description="Steps between log lines.")
    seed: int = Field(default=1000, ge=0, description="Of everything random.")

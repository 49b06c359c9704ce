"""Configurations of the reward classifier, and of who judges with it. Light: it imports no array library."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lerobot.core.config.base import ConfigModel, NoEffect, PathText
from lerobot.core.config.judges import RewardModelConfig, SuccessDetectorConfig
from lerobot.policies.features import FeatureType, NormalizationMode, PolicyFeatures


class ClassifierConfig(ConfigModel):
    """A classifier as its `config.json` describes it, in the order of published files."""

    type: Literal["reward_classifier"] = "reward_classifier"
    input_features: PolicyFeatures = Field(default={}, description="Pictures by key; empty: those of the dataset.")
    output_features: PolicyFeatures = Field(default={}, description="Belongs to published files.")
    device: str | None = Field(default="cpu", description="cuda, cuda:1, mps, xpu or cpu; null: the best there is.")
    pretrained_path: Annotated[str | None, NoEffect()] = Field(default=None, description="Belongs to published files.")
    pretrained_revision: Annotated[str | None, NoEffect()] = Field(default=None, description="Likewise.")
    push_to_hub: Annotated[bool, NoEffect()] = Field(default=False, description="Likewise.")
    repo_id: Annotated[str | None, NoEffect()] = Field(default=None, description="Likewise.")
    license: Annotated[str | None, NoEffect()] = Field(default=None, description="Likewise.")
    tags: Annotated[list[str] | None, NoEffect()] = Field(default=None, description="Likewise.")
    private: Annotated[bool | None, NoEffect()] = Field(default=None, description="Likewise.")
    name: Annotated[str, NoEffect()] = Field(default="reward_classifier", description="Likewise.")
    num_classes: int = Field(default=2, ge=2, description="2: solved or not; more: as many rewards, from 0 on.")
    hidden_dim: int = Field(default=256, gt=0, description="Width of the hidden layer.")
    latent_dim: int = Field(default=256, gt=0, description="Numbers that each picture is described by.")
    image_embedding_pooling_dim: int = Field(default=8, gt=0, description="Learned places per channel of a picture.")
    dropout_rate: float = Field(default=0.1, ge=0, lt=1, description="Part of the numbers that is left out.")
    model_name: str | None = Field(
        default=None,
        description="Image encoder of transformers, a folder or repository, which stays as it is; "
        "null: four convolutions, which learn.",
    )
    model_type: Literal["cnn", "transformer"] = Field(default="cnn", description="Kind of that encoder.")
    num_cameras: int = Field(default=0, ge=0, description="Pictures; 0: as many as there are inputs.")
    learning_rate: float = Field(default=1e-4, gt=0, description="Learning rate.")
    weight_decay: float = Field(default=0.01, ge=0, description="Weight decay.")
    grad_clip_norm: float = Field(default=1.0, gt=0, description="Largest norm of all gradients.")
    normalization_mapping: dict[FeatureType, NormalizationMode] = Field(
        default={FeatureType.VISUAL: NormalizationMode.MEAN_STD}, description="How pictures are scaled."
    )

    @property
    def cameras(self) -> list[str]:
        """Keys of the pictures, in their order."""
        return [key for key in self.input_features if key.startswith("observation.image")]


class RewardClassifierConfig(RewardModelConfig):
    """A trained classifier of pictures: the probability that they show the task solved."""

    target: ClassVar[str] = "lerobot.hilserl.classifier.judges:ClassifierRewards"

    type: str = "reward_classifier"
    path: PathText = Field(description="Folder or Hub repository of the classifier.")
    device: str | None = Field(default=None, description="Device; null: the one it was saved with.")


class ClassifierDetectorConfig(SuccessDetectorConfig):
    """A trained classifier of pictures that tells when the task is solved."""

    target: ClassVar[str] = "lerobot.hilserl.classifier.judges:ClassifierDetector"

    type: str = "reward_classifier"
    path: PathText = Field(description="Folder or Hub repository of the classifier.")
    success_from: float = Field(default=0.5, gt=0, lt=1, description="Probability from which on it is solved.")
    ticks: int = Field(default=1, gt=0, description="Ticks one after the other for which it has to look so.")
    device: str | None = Field(default=None, description="Device; null: the one it was saved with.")

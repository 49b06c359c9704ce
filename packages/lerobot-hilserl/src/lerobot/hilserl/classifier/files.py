"""A classifier with what stands before it: made, saved and loaded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lerobot.core.durable import replace_text
from lerobot.core.errors import CheckpointError
from lerobot.core.json_file import read_json
from lerobot.core.processors import PolicyProcessorPipeline, build_step
from lerobot.hilserl.classifier.network import Classifier
from lerobot.hilserl.classifier_config import ClassifierConfig
from lerobot.hilserl.config import IMAGENET
from lerobot.policies.checkpoint.files import CONFIG, WEIGHTS, Checkpoint
from lerobot.policies.checkpoint.skeleton import without_weights
from lerobot.policies.checkpoint.weights import load_weights, save_weights
from lerobot.policies.devices import choose_device
from lerobot.policies.processing.config import DeviceConfig, NormalizerConfig

PREPROCESSOR = "classifier_preprocessor"


@dataclass(frozen=True, slots=True)
class TrainedClassifier:
    """A classifier and its pre-processor.

    Attributes:
        network: the classifier, on its device.
        preprocessor: scales pictures.
    """

    network: Classifier
    preprocessor: PolicyProcessorPipeline[Any, Any]

    @classmethod
    def new(cls, config: ClassifierConfig, stats: Mapping[str, Mapping[str, Any]]) -> "TrainedClassifier":
        """Make a classifier that has learned nothing.

        Args:
            config: see there, pictures included.
            stats: statistics by feature; ImageNet's where pictures have none.
        """
        scaled = {**dict.fromkeys(config.cameras, IMAGENET), **{k: v for k, v in stats.items() if k in config.cameras}}
        mapping = config.normalization_mapping
        steps = [
            build_step(NormalizerConfig(features=config.input_features, norm_map=mapping), {"stats": scaled}),
            build_step(NormalizerConfig(features=config.output_features, norm_map=mapping), {"stats": scaled}),
            build_step(DeviceConfig(device=str(choose_device(config.device)))),
        ]
        network = Classifier(config).to(choose_device(config.device))
        return cls(network, PolicyProcessorPipeline(steps, PREPROCESSOR))

    def save(self, folder: Path) -> None:
        """Save everything needed to load it again; the configuration comes last."""
        folder.mkdir(parents=True, exist_ok=True)
        self.preprocessor.save_pretrained(folder)
        save_weights(self.network, folder / WEIGHTS)
        replace_text(folder / CONFIG, json.dumps(self.network.config.model_dump(mode="json"), indent=4))

    @classmethod
    def load(cls, source: str | Path, device: str | None = None) -> "TrainedClassifier":
        """Load a classifier, ready to judge.

        Args:
            source: folder, or Hub repository.
            device: where to; None for the one it was saved with.

        Raises:
            CheckpointError: there is none, or it is damaged or another model.
        """
        checkpoint = Checkpoint.at(source)
        fields = read_json(checkpoint.file(CONFIG))
        try:
            config = ClassifierConfig.model_validate(fields)
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(map(str, problem["loc"]))
            raise CheckpointError(f"{checkpoint}: {where}: {problem['msg']}", expected="a reward classifier") from error
        place = choose_device(device or config.device)
        with without_weights():
            network = Classifier(config, from_scratch=False)
        load_weights(network, checkpoint.file(WEIGHTS), device=place)
        pipeline: PolicyProcessorPipeline[Any, Any] = PolicyProcessorPipeline.from_pretrained(
            checkpoint.folder or checkpoint.source,
            f"{PREPROCESSOR}.json",
            overrides={"device_processor": {"device": str(place)}},
            resolve=checkpoint.resolve,
        )
        return cls(network.eval(), pipeline)

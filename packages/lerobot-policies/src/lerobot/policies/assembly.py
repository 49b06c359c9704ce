"""A policy for a dataset or environment, with its processors: new, or from a checkpoint."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lerobot.core.errors import CheckpointError
from lerobot.core.processors import build_step
from lerobot.core.processors.config import RenameObservationsConfig
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import PolicyFeatures, camera_use, check_provided
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.normalization import Stats
from lerobot.policies.processing.pipelines import Processors, load_processors, make_processors

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PolicyWithProcessors:
    """A policy and what stands around it; this is what is trained, evaluated, saved and put on a robot."""

    policy: PreTrainedPolicy
    processors: Processors

    def save_pretrained(self, folder: str | Path) -> None:
        """Save everything needed to load it again; the policy's configuration is written last.

        Args:
            folder: created if need be.
        """
        self.processors.save_pretrained(folder)
        self.policy.save_pretrained(folder)

    @classmethod
    def from_pretrained(
        cls, source: str | Path, *, config: PreTrainedConfig | None = None, revision: str | None = None
    ) -> "PolicyWithProcessors":
        """Load a saved policy and its processors, ready for inference.

        Args:
            source: folder, or Hub repository.
            config: configuration to use instead of the saved one.
            revision: branch, tag or commit of the repository.

        Raises:
            CheckpointError: anything is missing, damaged or does not fit.
            ConfigError: the saved configuration is wrong.
        """
        checkpoint = Checkpoint.at(source, revision)
        config = checkpoint.config() if config is None else config
        policy = PreTrainedPolicy.from_pretrained(source, config=config, revision=revision)
        return cls(policy, load_processors(config, checkpoint))


def make_policy(
    config: PreTrainedConfig,
    provided: PolicyFeatures,
    *,
    rename_map: Mapping[str, str] | None = None,
    provider: str = "the dataset or environment",
) -> PreTrainedPolicy:
    """Make a policy that takes what a dataset or environment provides, on its device.

    Args:
        config: of the policy; with `pretrained_path` its weights are loaded.
        provided: features of the dataset or environment.
        rename_map: new observation keys by old ones, where the policy calls them differently.
        provider: who provides the features, for messages.

    Raises:
        FeatureMismatchError: something the policy needs is not provided, or in another shape; names it.
        CheckpointError: the weights are missing, damaged or do not fit.
    """
    renamed = {(rename_map or {}).get(key, key): feature for key, feature in provided.items()}
    # The outputs of trained weights are what they are; a new policy takes those of the dataset.
    if config.pretrained_path is None or not config.output_features:
        config = config.with_features(renamed)
    check_provided(config.needed_of(renamed), renamed, provider, resized=config.resizes_images)
    config.validate_features()
    if cameras := camera_use(config.input_features, renamed):
        logger.info("%s", cameras)
    if config.pretrained_path is not None:
        return PreTrainedPolicy.from_pretrained(
            config.pretrained_path, config=config, revision=config.pretrained_revision
        )
    policy: PreTrainedPolicy = config.build()
    policy.place()
    return policy


def make_pre_post_processors(
    config: PreTrainedConfig,
    stats: Stats | None = None,
    *,
    rename_map: Mapping[str, str] | None = None,
    new_statistics: bool = False,
) -> Processors:
    """Make or load the processors of a policy.

    Args:
        config: of the policy, features included; with `pretrained_path` its processors are loaded.
        stats: statistics of the dataset.
        rename_map: new observation keys by old ones.
        new_statistics: use `stats` in place of the saved ones, as when fine-tuning on another dataset.

    Raises:
        CheckpointError: a file is missing or damaged, or a statistic is missing.
        ConfigError: a saved value is wrong.
    """
    if config.pretrained_path is None:
        processors = make_processors(config, stats)
    else:
        replaced = stats if new_statistics else None
        changes, post_changes = ({}, {}) if replaced is None else config.scaling_overrides(replaced)
        checkpoint = Checkpoint.at(config.pretrained_path, config.pretrained_revision)
        processors = load_processors(config, checkpoint, overrides=changes, post_overrides=post_changes)
    if rename_map:
        _rename(processors, rename_map)
    return processors


def _rename(processors: Processors, rename_map: Mapping[str, str]) -> None:
    steps = processors.preprocessor.steps
    renaming = RenameObservationsConfig(rename_map=dict(rename_map))
    places = [index for index, step in enumerate(steps) if step.registry_name == renaming.type]
    if not places:
        raise CheckpointError(
            f"{processors.preprocessor.name} cannot rename {', '.join(rename_map)}", expected=f"a step {renaming.type}"
        )
    steps[places[0]] = build_step(renaming)

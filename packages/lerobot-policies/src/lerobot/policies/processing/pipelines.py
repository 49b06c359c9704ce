"""The processors around a policy: made anew, loaded with it, saved with it."""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lerobot.core.errors import CheckpointError
from lerobot.core.processors import (
    PolicyProcessorPipeline,
    build_step,
    policy_action_to_transition,
    transition_to_policy_action,
)
from lerobot.core.processors.config import RenameObservationsConfig
from lerobot.core.processors.serialization import Overrides
from lerobot.core.protocols import ProcessorStep
from lerobot.policies.checkpoint import common_settings
from lerobot.policies.checkpoint.files import POSTPROCESSOR, PREPROCESSOR, WEIGHTS, Checkpoint
from lerobot.policies.checkpoint.legacy import is_statistic, statistics_among
from lerobot.policies.checkpoint.weights import read_weights
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.devices import choose_device
from lerobot.policies.processing.config import DeviceConfig, NormalizerConfig, ToBatchConfig, UnnormalizerConfig
from lerobot.policies.processing.normalization import NormalizationStep, ScalingStep, Stats
from lerobot.policies.processing.relative import link_relative_actions
from lerobot.policies.processing.tokenizer import LanguageStep

Pipeline = PolicyProcessorPipeline[Any, Any]


class Processors(NamedTuple):
    """What stands before and behind a policy."""

    preprocessor: Pipeline
    """From a dataset batch or a robot's observation to what the policy takes."""
    postprocessor: Pipeline
    """From the policy's action `(B, Da)` to the robot's units, on the CPU."""

    def reset(self) -> None:
        """Forget the episode so far."""
        self.preprocessor.reset()
        self.postprocessor.reset()

    def save_pretrained(self, folder: str | Path) -> None:
        """Save both beside the policy."""
        self.preprocessor.save_pretrained(folder)
        self.postprocessor.save_pretrained(folder)


def joined(before: list[ProcessorStep], after: list[ProcessorStep]) -> Processors:
    """Make processors of steps, under the names and with the converters every policy's have.

    Args:
        before: steps before the policy.
        after: steps behind it; relative actions are linked.
    """
    link_relative_actions(before, after)
    return Processors(
        PolicyProcessorPipeline(before, PREPROCESSOR),
        PolicyProcessorPipeline(
            after, POSTPROCESSOR, to_transition=policy_action_to_transition, to_output=transition_to_policy_action
        ),
    )


def default_processors(
    config: PreTrainedConfig, stats: Stats | None = None, preparing: Sequence[ProcessorStep] = ()
) -> Processors:
    """Make the processors most policies have: rename, batch, `preparing`, device, normalise | unnormalise, CPU.

    Args:
        config: of the policy, features included.
        stats: statistics of the dataset; without them the processors only run once they are loaded.
        preparing: steps that read the task or make images ready; none for most.
    """
    normalizer = NormalizerConfig(
        features={**config.input_features, **config.output_features}, norm_map=config.norm_map
    )
    unnormalizer = UnnormalizerConfig(features=config.output_features, norm_map=config.norm_map)
    return joined(
        [
            build_step(RenameObservationsConfig()),
            build_step(ToBatchConfig()),
            *preparing,
            build_step(DeviceConfig(device=str(choose_device(config.device)))),
            build_step(normalizer, {"stats": stats}),
        ],
        [build_step(unnormalizer, {"stats": stats}), build_step(DeviceConfig(device="cpu"))],
    )


def make_processors(config: PreTrainedConfig, stats: Stats | None) -> Processors:
    """Make new processors for a policy, the way its configuration says.

    Args:
        config: of the policy, features included.
        stats: statistics of the dataset.

    Raises:
        CheckpointError: a statistic is missing.
    """
    module, _, name = config.processors.partition(":")
    processors: Processors = getattr(importlib.import_module(module), name)(config, stats)
    leave_choices(processors, config)
    check_statistics(processors)
    check_tokenizer(processors, config)
    return processors


def load_processors(
    config: PreTrainedConfig,
    checkpoint: Checkpoint,
    *,
    overrides: Overrides | None = None,
    post_overrides: Overrides | None = None,
) -> Processors:
    """Load the processors that were saved with a policy, for its device.

    Args:
        config: of the policy.
        checkpoint: where they are; one from before processors had files gets new ones with the statistics among its
            weights.
        overrides: values that replace saved ones in the pre-processor, by step; see `DataProcessorPipeline`.
        post_overrides: the same for the post-processor.

    Raises:
        CheckpointError: a file is missing or damaged, or a statistic is missing.
        ConfigError: a saved value or an override is wrong.
    """
    if checkpoint.find(f"{PREPROCESSOR}.json") is None and not config.use_peft:
        weights, _ = read_weights(checkpoint.file(WEIGHTS), is_statistic)
        if stats := statistics_among(weights, {**config.input_features, **config.output_features}):
            return make_processors(config, stats)
    device = {"device_processor": {"device": str(choose_device(config.device))}}
    given = _merged(_merged(device, common_settings.overrides(config, checkpoint)), overrides or {})
    preprocessor = _load(checkpoint, PREPROCESSOR, given)
    postprocessor = _load(
        checkpoint,
        POSTPROCESSOR,
        post_overrides or {},
        to_transition=policy_action_to_transition,
        to_output=transition_to_policy_action,
    )
    link_relative_actions(preprocessor.steps, postprocessor.steps)
    processors = Processors(preprocessor, postprocessor)
    leave_choices(processors, config)
    check_statistics(processors)
    check_tokenizer(processors, config)
    return processors


def _load(checkpoint: Checkpoint, name: str, overrides: Overrides, **converters: Any) -> Pipeline:
    return PolicyProcessorPipeline.from_pretrained(
        checkpoint.folder or checkpoint.source,
        f"{name}.json",
        overrides=overrides,
        resolve=checkpoint.resolve,
        **converters,
    )


def _merged(first: Mapping[str, Mapping[str, Any]], second: Overrides) -> dict[str, dict[str, Any]]:
    return {key: {**first.get(key, {}), **second.get(key, {})} for key in {**first, **second}}


def check_statistics(processors: Processors) -> None:
    """Check that every normalisation step has what it needs.

    Raises:
        CheckpointError: a statistic is missing; names it.
    """
    for step in (*processors.preprocessor.steps, *processors.postprocessor.steps):
        if isinstance(step, ScalingStep):
            step.check()


def leave_choices(processors: Processors, config: PreTrainedConfig) -> None:
    """Let nothing scale the numbers of an action that are choices."""
    for step in (*processors.preprocessor.steps, *processors.postprocessor.steps):
        if isinstance(step, NormalizationStep):
            step.choices = config.action_choices


def check_tokenizer(processors: Processors, config: PreTrainedConfig) -> None:
    """Check that the policy's language model knows every token of its tokenizer.

    Raises:
        CheckpointError: it does not, so the tokenizer is another model's; names it.
    """
    for step in processors.preprocessor.steps:
        if not isinstance(step, LanguageStep) or config.vocabulary is None:
            continue
        if step.vocabulary > config.vocabulary:
            raise CheckpointError(
                f"tokenizer {step.source!r} has {step.vocabulary} tokens, and the language model of "
                f"policy {config.type!r} knows {config.vocabulary}",
                expected="the tokenizer that the language model was trained with",
            )

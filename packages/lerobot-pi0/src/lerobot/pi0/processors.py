"""What stands before and behind Pi0."""

from lerobot.core.processors import build_step
from lerobot.core.processors.config import RenameObservationsConfig
from lerobot.core.protocols import ProcessorStep
from lerobot.pi0.config import PaliGemmaVLAConfig, PI0NewLineConfig
from lerobot.policies.devices import choose_device
from lerobot.policies.processing.config import (
    AbsoluteActionsConfig,
    DeviceConfig,
    NormalizerConfig,
    RelativeActionsConfig,
    ToBatchConfig,
    TokenizerConfig,
    UnnormalizerConfig,
)
from lerobot.policies.processing.normalization import Stats
from lerobot.policies.processing.pipelines import Processors, joined


def pi0_processors(config: PaliGemmaVLAConfig, stats: Stats | None = None) -> Processors:
    """Make new processors: rename, batch, new line, tokens, device, relative, normalise | the way back, CPU.

    Args:
        config: of the policy, features included.
        stats: statistics of the dataset; without them the processors only run once they are loaded.

    Raises:
        CheckpointError: the tokenizer is not there.
        LeRobotError: `transformers` is not installed.
    """
    before = [
        build_step(RenameObservationsConfig()),
        build_step(ToBatchConfig()),
        build_step(PI0NewLineConfig()),
        tokens_step(config),
        device_step(config),
        *scaling_steps(config, stats),
    ]
    return joined(before, way_back(config, stats))


def tokens_step(config: PaliGemmaVLAConfig) -> ProcessorStep:
    """Make the step that turns the task into tokens of PaliGemma."""
    return build_step(
        TokenizerConfig(
            max_length=config.tokenizer_max_length,
            padding="max_length",
            padding_side="right",
            tokenizer_name=config.text_tokenizer_name,
        )
    )


def device_step(config: PaliGemmaVLAConfig) -> ProcessorStep:
    """Make the step that moves everything to the policy's device."""
    return build_step(DeviceConfig(device=str(choose_device(config.device))))


def scaling_steps(config: PaliGemmaVLAConfig, stats: Stats | None) -> list[ProcessorStep]:
    """Make the steps that make actions relative, if so configured, and scale."""
    relative = RelativeActionsConfig(
        enabled=config.use_relative_actions,
        exclude_joints=config.relative_exclude_joints,
        action_names=config.action_feature_names,
    )
    features = {**config.input_features, **config.output_features}
    normalizer = NormalizerConfig(features=features, norm_map=config.norm_map)
    return [build_step(relative), build_step(normalizer, {"stats": stats})]


def way_back(config: PaliGemmaVLAConfig, stats: Stats | None) -> list[ProcessorStep]:
    """Make the steps behind the policy, which undo `scaling_steps`."""
    unnormalizer = UnnormalizerConfig(features=config.output_features, norm_map=config.norm_map)
    return [
        build_step(unnormalizer, {"stats": stats}),
        build_step(AbsoluteActionsConfig(enabled=config.use_relative_actions)),
        build_step(DeviceConfig(device="cpu")),
    ]

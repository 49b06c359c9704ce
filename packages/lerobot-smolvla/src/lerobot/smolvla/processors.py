"""What stands before and behind SmolVLA."""

from lerobot.core.processors import build_step
from lerobot.core.processors.config import RenameObservationsConfig
from lerobot.policies.devices import choose_device
from lerobot.policies.processing.config import (
    DeviceConfig,
    NormalizerConfig,
    ToBatchConfig,
    TokenizerConfig,
    UnnormalizerConfig,
)
from lerobot.policies.processing.normalization import Stats
from lerobot.policies.processing.pipelines import Processors, joined
from lerobot.smolvla.config import SmolVLAConfig, SmolVLANewLineConfig


def smolvla_processors(config: SmolVLAConfig, stats: Stats | None = None) -> Processors:
    """Make new processors: rename, batch, new line, tokens, device, normalise | unnormalise, CPU.

    Args:
        config: of the policy, features included.
        stats: statistics of the dataset; without them the processors only run once they are loaded.

    Raises:
        CheckpointError: the tokenizer of `vlm_model_name` is not there.
        LeRobotError: `transformers` is not installed.
    """
    tokenizer = TokenizerConfig(
        max_length=config.tokenizer_max_length,
        padding=config.pad_language_to,
        padding_side="right",
        tokenizer_name=config.vlm_model_name,
    )
    features = {**config.input_features, **config.output_features}
    normalizer = NormalizerConfig(features=features, norm_map=config.norm_map)
    unnormalizer = UnnormalizerConfig(features=config.output_features, norm_map=config.norm_map)
    return joined(
        [
            build_step(RenameObservationsConfig()),
            build_step(ToBatchConfig()),
            build_step(SmolVLANewLineConfig()),
            build_step(tokenizer),
            build_step(DeviceConfig(device=str(choose_device(config.device)))),
            build_step(normalizer, {"stats": stats}),
        ],
        [build_step(unnormalizer, {"stats": stats}), build_step(DeviceConfig(device="cpu"))],
    )

"""What stands before and behind SmolVLA."""

from lerobot.core.processors import build_step
from lerobot.policies.processing.config import TokenizerConfig
from lerobot.policies.processing.normalization import Stats
from lerobot.policies.processing.pipelines import Processors, default_processors
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
    return default_processors(config, stats, [build_step(SmolVLANewLineConfig()), build_step(tokenizer)])

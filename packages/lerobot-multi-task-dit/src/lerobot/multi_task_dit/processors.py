"""What stands before and behind Multi-Task DiT."""

from lerobot.core.processors import build_step
from lerobot.multi_task_dit.config import MultiTaskDiTConfig
from lerobot.policies.processing.config import TokenizerConfig
from lerobot.policies.processing.normalization import Stats
from lerobot.policies.processing.pipelines import Processors, default_processors


def multi_task_dit_processors(config: MultiTaskDiTConfig, stats: Stats | None = None) -> Processors:
    """Make new processors: rename, batch, tokens, device, normalise | unnormalise, CPU.

    Args:
        config: of the policy, features included.
        stats: statistics of the dataset; without them the processors only run once they are loaded.

    Raises:
        CheckpointError: the tokenizer of `text_encoder_name` is not there.
        LeRobotError: `transformers` is not installed.
    """
    tokenizer = TokenizerConfig(
        max_length=config.tokenizer_max_length,
        padding=config.tokenizer_padding,
        padding_side=config.tokenizer_padding_side,
        truncation=config.tokenizer_truncation,
        tokenizer_name=config.text_encoder_name,
    )
    return default_processors(config, stats, [build_step(tokenizer)])

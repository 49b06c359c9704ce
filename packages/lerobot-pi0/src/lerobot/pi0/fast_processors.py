"""What stands before and behind Pi0-FAST."""

from lerobot.core.processors import build_step
from lerobot.core.processors.config import RenameObservationsConfig
from lerobot.pi0.fast_config import PI0FastConfig, PI0FastPromptConfig
from lerobot.pi0.processors import device_step, scaling_steps, tokens_step, way_back
from lerobot.policies.processing.config import ActionTokenizerConfig, ToBatchConfig
from lerobot.policies.processing.normalization import Stats
from lerobot.policies.processing.pipelines import Processors, joined


def fast_processors(config: PI0FastConfig, stats: Stats | None = None) -> Processors:
    """Make new processors: rename, batch, relative, normalise, prompt, tokens, action tokens, device | the way back.

    Args:
        config: of the policy, features included.
        stats: statistics of the dataset; without them the processors only run once they are loaded.

    Raises:
        CheckpointError: a tokenizer is not there.
        LeRobotError: `transformers` is not installed.
    """
    spoken = ActionTokenizerConfig(
        max_action_tokens=config.max_action_tokens,
        fast_skip_tokens=config.fast_skip_tokens,
        paligemma_tokenizer_name=config.text_tokenizer_name,
        action_tokenizer_name=config.action_tokenizer_name,
    )
    before = [
        build_step(RenameObservationsConfig()),
        build_step(ToBatchConfig()),
        *scaling_steps(config, stats),
        build_step(PI0FastPromptConfig()),
        tokens_step(config),
        build_step(spoken),
        device_step(config),
    ]
    return joined(before, way_back(config, stats))

"""What stands before and behind Pi0.5."""

from lerobot.core.processors import build_step
from lerobot.core.processors.config import RenameObservationsConfig
from lerobot.pi0.pi05_config import PI05Config, PI05PromptConfig
from lerobot.pi0.processors import device_step, scaling_steps, tokens_step, way_back
from lerobot.policies.processing.config import ToBatchConfig
from lerobot.policies.processing.normalization import Stats
from lerobot.policies.processing.pipelines import Processors, joined


def pi05_processors(config: PI05Config, stats: Stats | None = None) -> Processors:
    """Make new processors: rename, batch, relative, normalise, prompt, tokens, device | the way back, CPU.

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
        *scaling_steps(config, stats),
        build_step(PI05PromptConfig()),
        tokens_step(config),
        device_step(config),
    ]
    return joined(before, way_back(config, stats))

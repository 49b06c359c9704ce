"""What stands around ACT."""

from lerobot.act.config import ACTConfig
from lerobot.policies.processing.normalization import Stats
from lerobot.policies.processing.pipelines import Processors, default_processors


def act_processors(config: ACTConfig, stats: Stats | None = None) -> Processors:
    """Make the processors of ACT: those of most policies, because it takes pictures of any size as they are.

    Args:
        config: of the policy, features included.
        stats: statistics of the dataset.
    """
    return default_processors(config, stats)

"""What stands before and behind X-VLA."""

from lerobot.core.processors import build_step
from lerobot.policies.processing.config import TokenizerConfig
from lerobot.policies.processing.normalization import Stats
from lerobot.policies.processing.pipelines import Processors, default_processors
from lerobot.xvla.config import AddDomainIdConfig, ImageNetNormalizeConfig, ImageToFloatConfig, XVLAConfig
from lerobot.xvla.steps import IMAGES


def xvla_processors(config: XVLAConfig, stats: Stats | None = None) -> Processors:
    """Make new processors: rename, batch, tokens, images, domain, device, normalise | unnormalise, CPU.

    Args:
        config: of the policy, features included.
        stats: statistics of the dataset; without them the processors only run once they are loaded.

    Raises:
        CheckpointError: the tokenizer is not there.
        LeRobotError: `transformers` is not installed.
    """
    tokenizer = TokenizerConfig(
        max_length=config.tokenizer_max_length,
        padding=config.pad_language_to,
        padding_side=config.tokenizer_padding_side,
        tokenizer_name=config.tokenizer_name,
    )
    # Published files name no images, which means those that begin so: others would stay as they are.
    named = all(key.startswith(IMAGES) for key in config.image_features)
    images = None if named else list(config.image_features)
    scaled = (ImageToFloatConfig(image_keys=images), ImageNetNormalizeConfig(image_keys=images))
    return default_processors(config, stats, [build_step(each) for each in (tokenizer, *scaled, AddDomainIdConfig())])

"""What stands before and behind X-VLA."""

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
    features = {**config.input_features, **config.output_features}
    normalizer = NormalizerConfig(features=features, norm_map=config.norm_map)
    unnormalizer = UnnormalizerConfig(features=config.output_features, norm_map=config.norm_map)
    return joined(
        [
            build_step(RenameObservationsConfig()),
            build_step(ToBatchConfig()),
            build_step(tokenizer),
            build_step(ImageToFloatConfig(image_keys=images)),
            build_step(ImageNetNormalizeConfig(image_keys=images)),
            build_step(AddDomainIdConfig()),
            build_step(DeviceConfig(device=str(choose_device(config.device)))),
            build_step(normalizer, {"stats": stats}),
        ],
        [build_step(unnormalizer, {"stats": stats}), build_step(DeviceConfig(device="cpu"))],
    )

"""What stands before and behind the policy."""

from typing import Any

from lerobot.core.processors import build_step
from lerobot.core.processors.config import RenameObservationsConfig
from lerobot.hilserl.config import IMAGENET, GaussianActorConfig
from lerobot.policies.devices import choose_device
from lerobot.policies.features import ACTION, FeatureType
from lerobot.policies.processing.config import (
    AbsoluteActionsConfig,
    DeviceConfig,
    NormalizerConfig,
    RelativeActionsConfig,
    ToBatchConfig,
    UnnormalizerConfig,
)
from lerobot.policies.processing.normalization import Stats
from lerobot.policies.processing.pipelines import Processors, joined


def gaussian_actor_processors(config: GaussianActorConfig, stats: Stats | None = None) -> Processors:
    """Make new processors: rename, batch, device, [relative,] normalise | unnormalise, [absolute,] CPU.

    Args:
        config: of the policy, features included.
        stats: of demonstrations and robot; what `dataset_stats` says goes before them.
    """
    chosen = _statistics(config, stats or {})
    normalizer = NormalizerConfig(
        features={**config.input_features, **config.output_features}, norm_map=config.norm_map
    )
    before = [
        build_step(RenameObservationsConfig()),
        build_step(ToBatchConfig()),
        build_step(DeviceConfig(device=str(choose_device(config.device)))),
    ]
    after = [
        build_step(UnnormalizerConfig(features=config.output_features, norm_map=config.norm_map), {"stats": chosen})
    ]
    if config.relative_actions:
        before.append(build_step(RelativeActionsConfig(enabled=True)))
        after.append(build_step(AbsoluteActionsConfig(enabled=True)))
    before.append(build_step(normalizer, {"stats": chosen}))
    after.append(build_step(DeviceConfig(device="cpu")))
    return joined(before, after)


def _statistics(config: GaussianActorConfig, stats: Stats) -> dict[str, dict[str, Any]]:
    """Statistics of every feature; those that do not fit it are another one's, such as the defaults'."""
    found: dict[str, dict[str, Any]] = {key: dict(value) for key, value in stats.items()}
    if ACTION in found:
        # Recordings have statistics of the choice as well.
        size = config.output_features[ACTION].shape[0]
        found[ACTION] = {name: each if name == "count" else each[:size] for name, each in found[ACTION].items()}
    own = config.dataset_stats or {}
    for key, feature in {**config.input_features, **config.output_features}.items():
        if feature.type is FeatureType.VISUAL:
            found[key] = {**IMAGENET, **own.get(key, found.get(key, {}))}
            continue
        given = own.get(key)
        fits = given is not None and all(len(value) == feature.shape[0] for value in given.values())
        # What is configured by default is of no robot; somebody's own statistics count.
        if given is not None and fits and ("dataset_stats" in config.model_fields_set or key not in found):
            found[key] = dict(given)
    return found

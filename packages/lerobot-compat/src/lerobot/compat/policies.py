"""Making policies and their processors by huggingface/lerobot's functions."""

from collections.abc import Mapping
from typing import Any

from lerobot.compat.policy_classes import as_program_has_it, policy, policy_config
from lerobot.core.registry import registry
from lerobot.policies import assembly
from lerobot.policies.checkpoint.files import POSTPROCESSOR, PREPROCESSOR, Checkpoint
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import PolicyFeatures, features_of_dataset
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import Processors, load_processors, make_processors


def get_policy_class(name: str) -> type[PreTrainedPolicy]:
    """The class of a policy.

    Args:
        name: its registered name, such as `"act"`.

    Raises:
        PluginError: there is none, or it cannot be imported.
    """
    config = registry.config_class("policy", name)
    return policy(registry.implementation(config.model_construct()))


def make_policy_config(policy_type: str, **kwargs: Any) -> PreTrainedConfig:
    """Make the configuration of a policy.

    Args:
        policy_type: registered name of the policy.
        **kwargs: its fields.

    Raises:
        PluginError: there is no such policy.
    """
    found: type[PreTrainedConfig] = registry.config_class("policy", policy_type)
    return policy_config(found)(**kwargs)


def make_policy(
    cfg: PreTrainedConfig,
    ds_meta: Any = None,
    env_cfg: Any = None,
    rename_map: Mapping[str, str] | None = None,
) -> PreTrainedPolicy:
    """Make a policy that takes what a dataset or environment provides, on its device.

    Args:
        cfg: of the policy; with `pretrained_path` its weights are loaded.
        ds_meta: metadata of the dataset.
        env_cfg: configuration of the environment, in place of a dataset.
        rename_map: new observation keys by old ones.

    Raises:
        ValueError: neither or both of dataset and environment are given.
        FeatureMismatchError: something the policy needs is not provided.
        CheckpointError: the weights are missing, damaged or do not fit.
    """
    if (ds_meta is None) == (env_cfg is None):
        raise ValueError("make_policy takes ds_meta or env_cfg, one of them")
    provided = features_of_dataset(ds_meta.features) if env_cfg is None else _provided(env_cfg)
    return assembly.make_policy(as_program_has_it(cfg), provided, rename_map=rename_map)


def _provided(env_cfg: Any) -> PolicyFeatures:
    from lerobot.compat.envs import env_to_policy_features

    return env_to_policy_features(env_cfg)


def make_pre_post_processors(
    policy_cfg: PreTrainedConfig,
    pretrained_path: str | None = None,
    pretrained_revision: str | None = None,
    *,
    preprocessor_config_filename: str | None = None,
    postprocessor_config_filename: str | None = None,
    preprocessor_overrides: Mapping[str, Mapping[str, Any]] | None = None,
    postprocessor_overrides: Mapping[str, Mapping[str, Any]] | None = None,
    dataset_stats: Mapping[str, Any] | None = None,
    dataset_meta: Any = None,
) -> Processors:
    """Make the processors of a policy, or load those that were saved with it.

    Args:
        policy_cfg: of the policy, features included.
        pretrained_path: folder or Hub repository to load them from; new ones are made if None.
        pretrained_revision: branch, tag or commit of the repository.
        preprocessor_config_filename: accepted where it is the one name that there is.
        postprocessor_config_filename: the same.
        preprocessor_overrides: values that replace saved ones, by step.
        postprocessor_overrides: the same for the post-processor.
        dataset_stats: statistics of the dataset, for new ones.
        dataset_meta: metadata of the dataset, for its statistics where `dataset_stats` is None.

    Returns:
        Pre- and post-processor.

    Raises:
        CheckpointError: a file or a statistic is missing.
    """
    for given, known in (
        (preprocessor_config_filename, f"{PREPROCESSOR}.json"),
        (postprocessor_config_filename, f"{POSTPROCESSOR}.json"),
    ):
        if given not in {None, known}:
            raise ValueError(f"processors are in {known}, not in {given}")
    if pretrained_path is None:
        stats = dataset_stats if dataset_stats is not None or dataset_meta is None else dataset_meta.stats
        return make_processors(policy_cfg, stats)
    return load_processors(
        policy_cfg,
        Checkpoint.at(str(pretrained_path), pretrained_revision),
        overrides=preprocessor_overrides,
        post_overrides=postprocessor_overrides,
    )


def make_family_processors(config: PreTrainedConfig, dataset_stats: Mapping[str, Any] | None = None) -> Processors:
    """Make the processors of a policy whose family has its own function for it there; see `make_processors`."""
    return make_processors(config, dataset_stats)

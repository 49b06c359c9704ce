"""A third-party policy as one of ours: checked, trained, saved and put on a robot by the same code."""

import sys
from functools import cache
from importlib import import_module
from typing import Any

from lerobot.core.errors import PluginError
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.normalization import Stats
from lerobot.policies.processing.pipelines import Processors, default_processors


def adapted_policy(config: Any, *, from_scratch: bool = True) -> PreTrainedPolicy:
    """Make the policy of a model of `AdaptedPolicyConfig`.

    Args:
        config: features included.
        from_scratch: a plugin is not asked to leave its pretrained parts out.

    Raises:
        PluginError: there is no class of the name the configuration says.
    """
    del from_scratch
    name = config.made_from.__name__.removesuffix("Config") + "Policy"
    policy: PreTrainedPolicy = _with_our_methods(_named(config, "modeling_", name))(config)
    return policy


def adapted_processors(config: Any, stats: Stats | None = None) -> Processors:
    """Make the processors of such a policy, by the plugin's own function where it has one.

    Args:
        config: of the policy, features included.
        stats: statistics of the dataset.
    """
    try:
        function = _named(config, "processor_", f"make_{config.type}_pre_post_processors")
    except PluginError:
        return default_processors(config, stats)
    return Processors(*function(config, dataset_stats=stats))


def _named(config: Any, prefix: str, name: str) -> Any:
    """What a plugin defines beside its `configuration_x`: in the module of another prefix, in its package, or there."""
    module = config.made_from.__module__
    beside = module.replace("configuration_", prefix)
    for place in dict.fromkeys([beside, module.rpartition(".")[0] or module, module]):
        try:
            loaded = sys.modules.get(place) or import_module(place)
        except ModuleNotFoundError as error:
            if error.name != place:
                raise
            continue
        if name in vars(loaded):
            return vars(loaded)[name]
    raise PluginError(f"no {name} was found beside {module}.", kind="policy", name=str(config.type))


@cache
def _with_our_methods(policy: Any) -> type[PreTrainedPolicy]:
    """The plugin's class with what its methods are called and return here."""

    class Adapted(policy):  # type: ignore[misc] # the class is known when it is asked for
        __doc__ = policy.__doc__

        def parameter_groups(self) -> Any:
            """See `PreTrainedPolicy.parameter_groups`."""
            groups = self.get_optim_params()
            return [groups] if isinstance(groups, dict) else groups

        def forward(self, batch: Any) -> Any:
            """See `Policy.forward`; there the parts of the loss may be None."""
            loss, parts = super().forward(dict(batch))
            return loss, parts or {}

    Adapted.__name__, Adapted.__qualname__, Adapted.__module__ = policy.__name__, policy.__qualname__, policy.__module__
    return Adapted

"""Classes and configurations of policies as programs for huggingface/lerobot use them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import new_class
from typing import Any, ClassVar, Self

from pydantic import ConfigDict

from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.policy import PreTrainedPolicy

OLD_FIELDS = {
    "input_shapes": "input_features={'observation.state': PolicyFeature(type=FeatureType.STATE, shape=(14,)), ...}",
    "output_shapes": "output_features={'action': PolicyFeature(type=FeatureType.ACTION, shape=(14,))}",
    "input_normalization_modes": "normalization_mapping={'STATE': NormalizationMode.MEAN_STD, ...}",
    "output_normalization_modes": "normalization_mapping={'ACTION': NormalizationMode.MEAN_STD, ...}",
}
"""Arguments of releases 0.1, and what is said today."""

HUB_ARGUMENTS = frozenset(
    {"cache_dir", "force_download", "local_files_only", "proxies", "resume_download", "strict", "token"}
)
"""Arguments about downloading, which the Hugging Face libraries take from their environment variables; and `strict`,
which here is always true."""


class _PolicyConfig:
    """What the configuration of a policy can do beside ours: its fields can be changed, and it knows its optimizer."""

    def __init__(self, **fields: Any) -> None:
        if old := [name for name in OLD_FIELDS if name in fields]:
            said = "; ".join(f"{name} is now {OLD_FIELDS[name]}" for name in old)
            raise TypeError(f"{type(self).__name__}: {said}")
        super().__init__(**fields)

    def get_optimizer_preset(self) -> Any:
        """The optimizer this policy is trained with; `build(policy.parameters())` makes it."""
        from lerobot.compat.optim import optimizer_of

        return optimizer_of(self)

    def get_scheduler_preset(self) -> Any:
        """The schedule of its learning rate; None for a constant one."""
        from lerobot.compat.optim import scheduler_of

        return scheduler_of(self)

    def validate_features(self) -> None:
        """Nothing: features are checked when the policy is made."""

    @classmethod
    def from_pretrained(
        cls, pretrained_name_or_path: str | Path, *, revision: str | None = None, **settings: Any
    ) -> Any:
        """Read the configuration of a saved policy.

        Args:
            pretrained_name_or_path: folder, or Hub repository.
            revision: branch, tag or commit of the repository.
            **settings: fields to change; arguments about downloading are accepted and not needed.
        """
        config = Checkpoint.at(pretrained_name_or_path, revision).config()
        changed = {key: value for key, value in settings.items() if key not in HUB_ARGUMENTS | {"cli_overrides"}}
        return as_program_has_it(config, changed)


@cache
def policy_config(original: type[PreTrainedConfig]) -> type[PreTrainedConfig]:
    """The configuration of a policy that programs can change and ask for an optimizer."""
    base = _PolicyConfig if original is PreTrainedConfig else policy_config(PreTrainedConfig)
    # The more special class comes first: its fields and defaults count.
    bases = (base, original) if base is _PolicyConfig else (original, base)
    body = {
        "__module__": original.__module__,
        "__qualname__": original.__qualname__,
        "__doc__": original.__doc__,
        "model_config": ConfigDict(frozen=False, validate_assignment=True),
        # A policy built of it is of the class that programs import.
        "__annotations__": {"target": ClassVar[str]},
        "target": _class_path(original),
    }
    return new_class(original.__name__, bases, exec_body=lambda names: names.update(body))


def _class_path(original: type[PreTrainedConfig]) -> str:
    if not original.target:
        return ""
    name = original.model_fields["type"].default
    return f"lerobot.policies.{name}.modeling_{name}:{original.target.partition(':')[2]}"


def as_program_has_it(config: PreTrainedConfig, changed: Mapping[str, Any] | None = None) -> Any:
    """A configuration of ours as programs use it.

    Args:
        config: of a policy.
        changed: fields with other values.
    """
    if isinstance(config, _PolicyConfig):
        return config if not changed else config.model_copy(update=dict(changed))
    fields = {name: value for name, value in config if name in config.model_fields_set}
    return policy_config(type(config))(**{**fields, **(changed or {})})


class _Policy:
    """Stands before the class of a policy."""

    def __init__(self, config: PreTrainedConfig, *args: Any, **settings: Any) -> None:
        if args or "dataset_stats" in settings:
            raise TypeError(
                f"{type(self).__name__} takes no statistics: processors normalise now, "
                "make_pre_post_processors(config, dataset_stats=...)"
            )
        kept = {key: value for key, value in settings.items() if key != "dataset_meta"}
        super().__init__(config, **kept)  # type: ignore[call-arg] # the policy's class is next

    @classmethod
    def from_pretrained(
        cls,
        pretrained_name_or_path: str | Path,
        *,
        config: PreTrainedConfig | None = None,
        revision: str | None = None,
        **hub: Any,
    ) -> Self:
        """Load a saved policy, ready for inference on its device.

        Args:
            pretrained_name_or_path: folder, or Hub repository.
            config: configuration to use instead of the saved one.
            revision: branch, tag or commit of the repository.
            **hub: arguments about downloading, accepted and not needed.
        """
        if unknown := sorted(hub.keys() - HUB_ARGUMENTS):
            raise TypeError(f"from_pretrained has no argument {', '.join(unknown)}")
        config = Checkpoint.at(pretrained_name_or_path, revision).config() if config is None else config
        loaded: Self = super().from_pretrained(  # type: ignore[misc] # the policy's class is next
            pretrained_name_or_path, config=as_program_has_it(config), revision=revision
        )
        return loaded

    def get_optim_params(self) -> Any:
        """What the optimizer is given."""
        return self.parameter_groups()  # type: ignore[attr-defined]

    def save_pretrained(
        self, save_directory: str | Path, *, repo_id: str | None = None, push_to_hub: bool = False
    ) -> None:
        """Save configuration and weights.

        Args:
            save_directory: folder, created if need be.
            repo_id: Hub repository, `owner/name`.
            push_to_hub: upload the folder to it.
        """
        super().save_pretrained(save_directory)  # type: ignore[misc]
        if push_to_hub:
            from lerobot.compat.hub import push_folder

            push_folder(Path(save_directory), repo_id or self.config.repo_id)  # type: ignore[attr-defined]

    def push_to_hub(self, repo_id: str, *, private: bool | None = None, commit_message: str | None = None) -> str:
        """Upload configuration and weights to a Hub repository, made if need be; see `push_folder`."""
        from lerobot.compat.hub import push_saved

        return push_saved(self, repo_id, private=private, commit_message=commit_message)


@cache
def policy(original: type[PreTrainedPolicy]) -> type[PreTrainedPolicy]:
    """The class of a policy with the arguments that programs give."""
    body = {"__module__": original.__module__, "__doc__": original.__doc__}
    return type(original.__name__, (_Policy, original), body)

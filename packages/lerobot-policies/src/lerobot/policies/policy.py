"""The base class of policies on torch."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from lerobot.core.durable import replace_text
from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.core.paths import user_path
from lerobot.policies.acceleration import accelerate
from lerobot.policies.checkpoint.adapters import Adapter, base_of, load_adapter
from lerobot.policies.checkpoint.common_settings import copies
from lerobot.policies.checkpoint.files import CONFIG, WEIGHTS, Checkpoint
from lerobot.policies.checkpoint.shards import described, load_sharded_weights
from lerobot.policies.checkpoint.skeleton import without_weights
from lerobot.policies.checkpoint.weights import (
    Weights,
    check_file,
    check_named_weights,
    check_weights,
    load_weights,
    save_weights,
)
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.devices import choose_device
from lerobot.policies.features import FeatureType
from lerobot.policies.networks.blocks import blocks


class PreTrainedPolicy(nn.Module, ABC):
    """A policy on torch; the contract is `lerobot.core.protocols.Policy`.

    A subclass takes `(config, *, from_scratch=True)` and registers its networks under the field's published names.
    With `from_scratch=False` all weights are about to be loaded, so it fetches no pretrained parts.

    Args:
        config: the configuration, features included.

    Raises:
        FeatureMismatchError: the configuration has no features.
    """

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__()
        if not config.input_features or not config.output_features:
            raise FeatureMismatchError(
                f"policy {config.type!r} has no {'outputs' if config.input_features else 'inputs'}",
                expected="input_features and output_features, from a dataset or an environment",
            )
        self.config = config
        self.name = config.type
        self.adapter: Adapter | None = None
        self.copies: Mapping[str, str] = {}
        """What the checkpoint it was loaded from keeps a copy of: the path, by field of the configuration."""

    # --- acting and learning -----------------------------------------------------------------------------------------

    @abstractmethod
    def reset(self) -> None:
        """See `Policy.reset`."""

    @abstractmethod
    def select_action(self, batch: Mapping[str, Any]) -> Tensor:
        """See `Policy.select_action`."""

    @abstractmethod
    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """See `Policy.predict_action_chunk`."""

    @abstractmethod
    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        """See `Policy.forward`."""

    def parameter_groups(self) -> Iterable[Any]:
        """What the optimizer is given: parameters, or groups of them with their own settings."""
        return (parameter for parameter in self.parameters() if parameter.requires_grad)

    def adapter_targets(self) -> str | None:
        """Modules that adapters are put into unless others are asked for, as a regular expression; None: none."""
        return None

    def blocks(self) -> list[nn.Module]:
        """Parts that are spread over processes, or compiled, one by one: the repeated blocks of its networks."""
        return blocks(self)

    def update(self) -> None:
        """Do what follows every step of the optimizer, such as moving a target network; nothing here."""

    def precision(self) -> AbstractContextManager[None]:
        """Context in which the policy is called: mixed precision, if the configuration asks for it or for few bits.

        Source:
            https://docs.pytorch.org/docs/stable/amp.html
        """
        few_bits = self._dtype if self._dtype != torch.float32 else None
        device = next(self.parameters()).device.type
        context: AbstractContextManager[None] = torch.autocast(
            device, few_bits, enabled=self.config.use_amp or few_bits is not None
        )
        return context

    def resume(self, step: int) -> None:
        """Go on with a training of which a number of batches is done; for what a policy counts itself.

        Args:
            step: batches done.
        """

    def require_inputs(self, batch: Mapping[str, Any]) -> None:
        """Check that a batch holds every input, in its shape behind batch and time axes.

        Raises:
            FeatureMismatchError: it does not; names the key.
        """
        for key, feature in self.config.input_features.items():
            if (value := batch.get(key)) is None:
                raise FeatureMismatchError(
                    f"policy {self.name!r} got no {key!r}",
                    keys=[key],
                    expected=f"{', '.join(self.config.input_features)}; given: {', '.join(batch) or 'nothing'}",
                )
            if feature.type is FeatureType.VISUAL and self.config.resizes_images:
                continue
            if tuple(value.shape[-len(feature.shape) :]) != feature.shape:
                raise FeatureMismatchError(
                    f"{key!r} has the shape {tuple(value.shape)}", keys=[key], expected=f"(B, ...) of {feature.shape}"
                )

    # --- weights -----------------------------------------------------------------------------------------------------

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Take over weights; nothing may be missing or left over.

        Raises:
            CheckpointError: a weight is missing, unknown or of another shape; or `strict` is false.
        """
        if not strict:
            raise CheckpointError("weights can only be loaded strictly", expected="every weight the policy has")
        check_weights(self, state_dict, "the state dict")
        return super().load_state_dict(state_dict, strict=True, assign=assign)

    def published(self, weights: Weights) -> Weights:
        """Give the weights of a file under this policy's names; for families whose published names differ from ours.

        What is given is compared with the policy's own names, all of them: this hook renames, and forgives nothing.

        Args:
            weights: tensors by the names they have in the file.
        """
        return weights

    def place(self, device: torch.device | None = None) -> None:
        """Accelerate, and move to the device and to the type, as the configuration asks for.

        Args:
            device: the one that was chosen already.
        """
        if self.config.acceleration == "auto":
            accelerate(self)
        self.to(choose_device(self.config.device) if device is None else device, self._dtype)

    @property
    def _dtype(self) -> torch.dtype | None:
        """The type that the configuration asks for."""
        return None if self.config.cast_dtype is None else getattr(torch, self.config.cast_dtype)

    @classmethod
    def check_pretrained(cls, config: PreTrainedConfig) -> Self:
        """Check that the file of weights is one of a policy of this configuration, by its header alone.

        Args:
            config: with `pretrained_path`.

        Returns:
            The policy, without its weights.

        Raises:
            CheckpointError: the file is missing or damaged, or lacks a weight, or one is unknown or of another shape.
        """
        checkpoint = Checkpoint.at(config.pretrained_path or "", config.pretrained_revision)
        policy, weights = cls._without_weights(checkpoint, config)
        if weights.is_dir():
            check_named_weights(policy.state_dict(), described(weights), str(weights))
        else:
            check_file(policy, weights, policy.published)
        return policy

    @classmethod
    def _without_weights(cls, checkpoint: Checkpoint, config: PreTrainedConfig) -> tuple[Self, Path]:
        """The policy before its weights are there, and the file or folder of them: of an adapter, its base's."""
        with without_weights():
            policy = config.build(from_scratch=False)
        if not isinstance(policy, cls):
            raise CheckpointError(f"{checkpoint} holds a policy {config.type!r}", expected=f"one for {cls.__name__}")
        base = Checkpoint.at(*base_of(checkpoint)) if config.use_peft else checkpoint
        return policy, base.weights_place()

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        config: PreTrainedConfig | None = None,
        revision: str | None = None,
    ) -> Self:
        """Load a saved policy, ready for inference on its device.

        Args:
            source: folder, or Hub repository.
            config: configuration to use instead of the saved one, such as with another device or fewer action steps.
            revision: branch, tag or commit of the repository.

        Raises:
            CheckpointError: there is no such policy, it is damaged, or its weights are not exactly those needed.
            ConfigError: the saved configuration is wrong.
        """
        checkpoint = Checkpoint.at(source, revision)
        config = checkpoint.config() if config is None else config
        policy, weights = cls._without_weights(checkpoint, config)
        device = choose_device(config.device)
        if weights.is_dir():
            load_sharded_weights(policy, weights, policy._dtype)
        else:
            load_weights(policy, weights, policy.published, policy._dtype, device)
        if config.use_peft:
            policy.adapter = load_adapter(policy, checkpoint)
        policy.copies = copies(config, checkpoint)
        policy.place(device)
        policy.eval()
        policy.reset()
        return policy

    def save_pretrained(self, folder: str | Path) -> None:
        """Save configuration and weights, of an adapted policy the adapter's alone; the configuration comes last.

        Args:
            folder: created if need be.
        """
        folder = user_path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if self.adapter is not None:
            self.adapter.save(folder)
        else:
            save_weights(self, folder / WEIGHTS)
        self.save_config(folder)

    def save_config(self, folder: Path) -> None:
        """Save the configuration alone.

        Args:
            folder: where to.
        """
        replace_text(folder / CONFIG, json.dumps(self.config.model_dump(mode="json"), indent=4))

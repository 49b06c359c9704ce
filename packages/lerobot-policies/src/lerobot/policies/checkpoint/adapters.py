"""Adapters: few weights that change what a base policy does, learned and saved without it.

Files are those of the peft library: `adapter_config.json`, which names the base, and `adapter_model.safetensors`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import save_file
from torch import Tensor, nn

from lerobot.core.errors import CheckpointError, LeRobotError
from lerobot.core.extras import require
from lerobot.core.json_file import read_json
from lerobot.policies.checkpoint.files import ADAPTER_CONFIG, ADAPTER_WEIGHTS, Checkpoint
from lerobot.policies.checkpoint.weights import check_named_weights, read_weights

if TYPE_CHECKING:
    import peft


@dataclass(frozen=True, slots=True)
class Adapter:
    """The adapter inside of a policy.

    Attributes:
        model: peft's handle on the policy, which it has changed in place.
    """

    model: "peft.PeftModel"

    def save(self, folder: Path) -> None:
        """Write the adapter's files, and nothing of the base."""
        weights = {name: value.detach().cpu().contiguous() for name, value in self._weights().items()}
        save_file(weights, folder / ADAPTER_WEIGHTS)
        config = self.model.peft_config["default"]
        trained, config.inference_mode = config.inference_mode, True
        try:
            config.save_pretrained(str(folder))
        finally:
            config.inference_mode = trained

    def load(self, path: Path) -> None:
        """Fill the adapter from a file: with everything it needs, and nothing else.

        Raises:
            CheckpointError: the file is damaged, or a weight is missing, unknown or of another shape; names it.
        """
        import peft

        weights, _ = read_weights(path)
        check_named_weights(self._weights(), weights, str(path))
        peft.set_peft_model_state_dict(self.model, weights)

    def _weights(self) -> dict[str, Tensor]:
        import peft

        weights: dict[str, Tensor] = peft.get_peft_model_state_dict(self.model)
        return weights


def make_adapter(
    policy: nn.Module,
    base: str,
    revision: str | None = None,
    *,
    target_modules: list[str] | str | None,
    full_training_modules: list[str] | None = None,
    init_type: str | None = None,
    r: int = 16,
    lora_alpha: int | None = None,
) -> Adapter:
    """Put a LoRA adapter into a policy, and freeze everything else.

    Args:
        policy: changed in place.
        base: folder or Hub repository that the policy's weights came from.
        revision: branch, tag or commit of the repository.
        target_modules: modules to adapt: ends of names, a regular expression, or `"all-linear"`.
        full_training_modules: modules to learn as a whole.
        init_type: how the adapter begins; peft's way if None.
        r: rank.
        lora_alpha: scale times rank; peft's if None.

    Raises:
        LeRobotError: peft is not installed, or no module is meant.

    Source:
        Hu et al. 2021, arXiv:2106.09685.
    """
    require("peft", extra="peft", needed_by="an adapter", distribution="lerobot-policies")
    import peft

    chosen: dict[str, Any] = {} if init_type is None else {"init_lora_weights": init_type}
    if lora_alpha is not None:
        chosen["lora_alpha"] = lora_alpha
    config = peft.LoraConfig(
        r=r,
        target_modules=target_modules
        if target_modules is None or isinstance(target_modules, str)
        else [*target_modules],
        modules_to_save=None if full_training_modules is None else [*full_training_modules],
        base_model_name_or_path=base,
        revision=revision,
        **chosen,
    )
    return _put_in(policy, config)


def load_adapter(policy: nn.Module, checkpoint: Checkpoint) -> Adapter:
    """Put a saved adapter into the policy it was made for.

    Args:
        policy: with the weights of the base; changed in place.
        checkpoint: where the adapter is.

    Raises:
        CheckpointError: a file of the adapter is missing or damaged, or it is for another policy.
        LeRobotError: peft is not installed.
    """
    require("peft", extra="peft", needed_by="an adapter", distribution="lerobot-policies")
    import peft

    fields = adapter_fields(checkpoint)
    try:
        config = peft.PeftConfig.from_peft_type(**{**fields, "inference_mode": False})  # type: ignore[no-untyped-call]
    except (TypeError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{checkpoint}/{ADAPTER_CONFIG} is not understood: {error}", hint="Update peft: uv pip install -U peft"
        ) from error
    adapter = _put_in(policy, config)
    adapter.load(checkpoint.file(ADAPTER_WEIGHTS))
    return adapter


def base_of(checkpoint: Checkpoint) -> tuple[str, str | None]:
    """Folder or repository of the base of an adapter, and its revision.

    Raises:
        CheckpointError: the adapter does not name it.
    """
    fields = adapter_fields(checkpoint)
    base = fields.get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        raise CheckpointError(
            f"{checkpoint}/{ADAPTER_CONFIG} does not say which policy it adapts", expected="base_model_name_or_path"
        )
    return base, fields.get("revision")


def adapter_fields(checkpoint: Checkpoint) -> dict[str, Any]:
    """Read `adapter_config.json`.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    path = checkpoint.file(ADAPTER_CONFIG)
    try:
        fields = read_json(path)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    if not isinstance(fields, dict):
        raise CheckpointError(f"{path} is no adapter's configuration", expected="an object")
    return fields


def _put_in(policy: nn.Module, config: Any) -> Adapter:
    import peft

    for parameter in policy.parameters():
        parameter.requires_grad_(False)
    try:
        return Adapter(peft.PeftModel(policy, config))
    except (ValueError, TypeError, re.error) as error:
        raise LeRobotError(
            f"the policy cannot be adapted: {str(error).splitlines()[0]}",
            expected="--peft.target_modules that name linear layers of the policy, such as [linear1, linear2]",
        ) from error

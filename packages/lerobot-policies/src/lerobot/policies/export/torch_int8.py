"""Files of TorchScript whose linear layers have weights in 8 bits."""

import copy
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lerobot.core.errors import LeRobotError
from lerobot.policies.acceleration import decelerate
from lerobot.policies.export.format import ExportFormat
from lerobot.policies.export.layers import chosen_layers
from lerobot.policies.export.parity import Run
from lerobot.policies.export.program import Trace
from lerobot.policies.export.torchscript import load_script, save_script
from lerobot.policies.formats import TorchInt8Config


class _RoundedLinear(torch.ao.nn.quantized.dynamic.Linear):
    """With the weight it had to look at: networks ask for its type before they bring it what flows in."""

    # They are no part of what is written.
    __jit_ignored_attributes__ = ("weight", "_before")

    _before: Tensor

    @classmethod
    def from_float(cls, mod: nn.Linear, use_precomputed_fake_quant: bool = False) -> "_RoundedLinear":
        """Round a layer."""
        made: _RoundedLinear = super().from_float(mod, use_precomputed_fake_quant)  # type: ignore[no-untyped-call]
        made.__dict__["_before"] = mod.weight.detach()
        return made

    @property
    def weight(self) -> Tensor:  # type: ignore[override] # a method there
        """See `nn.Linear`."""
        return self._before


class TorchInt8Format(ExportFormat):
    """See `TorchInt8Config`."""

    label = "the int8 TorchScript file"
    config: TorchInt8Config

    def require(self) -> None:
        """Check that torch can; see `ExportFormat.require`.

        Raises:
            LeRobotError: this build of torch has no arithmetic of 8 bits.
        """
        if torch.backends.quantized.engine == "none":
            raise LeRobotError("this build of torch has no arithmetic of 8 bits", hint="Try --formats='[onnx_int8]'.")

    def write(self, trace: Trace, description: Mapping[str, Any], path: Path) -> None:
        """Round the weights, and write the program.

        Raises:
            LeRobotError: no layer is left to round.
        """
        quantization = torch.ao.quantization
        policy = copy.deepcopy(trace.module.policy)
        decelerate(policy)
        linear = [name for name, layer in policy.named_modules() if type(layer) is nn.Linear]
        scheme = (
            quantization.per_channel_dynamic_qconfig
            if self.config.per_channel
            else quantization.default_dynamic_qconfig
        )
        with warnings.catch_warnings():
            # torchao is where torch wants all to go; it writes no program that LibTorch loads.
            warnings.filterwarnings("ignore", message=".*deprecated", category=DeprecationWarning)
            warnings.filterwarnings("ignore", message=".*deprecated", category=UserWarning)
            layers = dict.fromkeys(chosen_layers(linear, self.config), scheme)
            quantization.quantize_dynamic(  # type: ignore[no-untyped-call] # of torch
                policy, layers, mapping={nn.Linear: _RoundedLinear}, inplace=True
            )
            save_script(trace.module.with_policy(policy), trace.examples, description, path)

    def load(self, path: Path, names: Sequence[str]) -> Run:
        """Run it by torch."""
        return load_script(path, names)

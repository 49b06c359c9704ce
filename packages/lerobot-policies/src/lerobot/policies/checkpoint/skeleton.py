"""Networks without memory for their weights, which are about to be loaded."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary


class _UnfilledOnMeta(TorchFunctionMode):
    """Draws no numbers for tensors without memory: for them alone, torch would first import its compiler."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.Tensor.normal_, nn.init.normal_):
            tensor: torch.Tensor = args[0] if args else kwargs["tensor"]
            if tensor.is_meta:
                return tensor
        return func(*args, **(kwargs or {}))


@contextmanager
def without_weights() -> Iterator[None]:
    """Let every module that this thread builds have its parameters on the meta device.

    Buffers, and whatever else a constructor computes from its arguments, are made as always: no file holds all of them.
    A parameter that stands in several places is still one.
    """
    builder = threading.get_ident()
    made: WeakTensorKeyDictionary = WeakTensorKeyDictionary()

    def put_on_meta(_module: nn.Module, _name: str, parameter: nn.Parameter) -> nn.Parameter:
        if parameter.is_meta or threading.get_ident() != builder or nn.parameter.is_lazy(parameter):
            return parameter
        if parameter not in made:
            made[parameter] = nn.Parameter(parameter.to("meta"), requires_grad=parameter.requires_grad)
        replacement: nn.Parameter = made[parameter]
        return replacement

    # torch's annotation forgets that what a hook gives is what is registered.
    handle = register_module_parameter_registration_hook(put_on_meta)  # type: ignore[arg-type]
    try:
        with _UnfilledOnMeta():
            yield
    finally:
        handle.remove()

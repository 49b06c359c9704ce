"""Tensors on the device of the policy."""

from typing import Any

import torch
from torch import Tensor

from lerobot.core.processors import EnvTransition, ProcessorStep, TransitionKey
from lerobot.core.processors.transition import copied
from lerobot.policies.devices import choose_device
from lerobot.policies.processing.config import DeviceConfig

DTYPES = {
    "float16": torch.float16,
    "half": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float": torch.float32,
    "float64": torch.float64,
    "double": torch.float64,
}
_SINGLE = (TransitionKey.ACTION, TransitionKey.REWARD, TransitionKey.DONE, TransitionKey.TRUNCATED)
_GROUPS = (TransitionKey.OBSERVATION, TransitionKey.COMPLEMENTARY_DATA)


class DeviceProcessorStep(ProcessorStep):
    """Moves tensors to a device and, if asked to, floating-point ones to a type.

    A tensor on any GPU stays on that GPU if the device is a GPU: whoever trains on several has placed it.

    Args:
        config: device and type; a device that is not there is replaced by the best there is, with a warning.
    """

    def __init__(self, config: DeviceConfig) -> None:
        super().__init__(config)
        self._device = choose_device(config.device)
        self._dtype = None if config.float_dtype is None else DTYPES[config.float_dtype]

    def get_config(self) -> dict[str, Any]:
        """Give the configuration with the device's kind alone: which GPU it is says nothing to another computer."""
        return {**super().get_config(), "device": self._device.type}

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Move everything."""
        changed = dict(transition)
        for key in _SINGLE:
            if key in transition:
                changed[key] = self._moved(transition[key])
        for key in _GROUPS:
            if (group := transition.get(key)) is not None:
                changed[key] = moved = copied(group)
                moved.update({name: self._moved(value) for name, value in group.items()})
        return changed

    def _moved(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        stays = value.is_cuda and self._device.type == "cuda"
        device = value.device if stays else self._device
        dtype = self._dtype if value.is_floating_point() else None
        if dtype is None and device.type == "mps" and value.dtype == torch.float64:
            dtype = torch.float32  # mps has no float64
        return value.to(device=device, dtype=dtype or value.dtype, non_blocking=device.type == "cuda")

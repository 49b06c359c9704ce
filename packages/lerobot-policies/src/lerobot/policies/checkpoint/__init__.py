"""Saved policies: where they are (`files`), their weights (`weights`, `header`, `legacy`) and their adapters."""

from lerobot.policies.checkpoint.files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    CONFIG,
    POSTPROCESSOR,
    PREPROCESSOR,
    WEIGHTS,
    Checkpoint,
    saved_fields,
)

__all__ = [
    "ADAPTER_CONFIG",
    "ADAPTER_WEIGHTS",
    "CONFIG",
    "POSTPROCESSOR",
    "PREPROCESSOR",
    "WEIGHTS",
    "Checkpoint",
    "saved_fields",
]

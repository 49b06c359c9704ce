"""Sections of the peer's training configuration of which only the default is supported here.

Files it wrote can be read as long as they do not use them; they are never written.
"""

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError

DEFAULTS: dict[str, Any] = {
    "reward_model": None,
    "sample_weighting": None,
    "use_rabc": False,
    "job": {
        "target": None,
        "image": "huggingface/lerobot-gpu:latest",
        "timeout": "2d",
        "detach": False,
        "tags": [],
    },
    "parallelism.context_parallel": {"ring_degree": 1, "ulysses_degree": 1},
    "parallelism.cfg_parallel": 1,
    "save_checkpoint_to_hub": False,
    "repo_type": "dataset",
    "fsdp.cpu_offload": False,
    "fsdp.ignored_modules": None,
}

IGNORED: dict[str, frozenset[str]] = {
    # How the run was started; none of it changes a run here.
    "job": frozenset({"image", "timeout", "detach", "tags"}),
}


def only_default(name: str, value: Any) -> None:
    """Accept a value that is the peer's default, as None.

    Raises:
        PydanticCustomError: it is another one.
    """
    if value is not None and not _is_default(value, DEFAULTS[name], IGNORED.get(name, frozenset())):
        raise PydanticCustomError(
            "unsupported", "nothing but {default}, because it is not supported", {"default": str(DEFAULTS[name])}
        )


def _is_default(value: Any, default: Any, ignored: frozenset[str]) -> bool:
    if isinstance(value, Mapping) and isinstance(default, Mapping):
        return all(
            key in ignored or (key in default and _is_default(inner, default[key], frozenset()))
            for key, inner in value.items()
        )
    return bool(value == default)

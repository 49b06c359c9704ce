"""What environments show, under the names that datasets and policies know."""

from collections.abc import Mapping
from typing import Any

NAMES = {
    "agent_pos": "observation.state",
    "environment_state": "observation.environment_state",
    "pixels": "observation.image",
}
"""Names of the field's environments; `pixels/front` becomes `observation.images.front`."""


def flatten(observation: Any, features_map: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Name the parts of an observation, or of the space of one.

    Args:
        observation: array, or nested mapping of arrays; or the space that describes one, which is such a mapping too.
        features_map: names by path (`"pixels/top"`) that the environment's configuration gives; they come first.

    Returns:
        Parts by name, as they are.
    """
    named: dict[str, Any] = {}
    for path, part in _parts(observation):
        name = (features_map or {}).get(path) or _name(path)
        named[name] = part
    return named


def _name(path: str) -> str:
    first, _, rest = path.partition("/")
    if first == "pixels" and rest:
        return f"observation.images.{rest.replace('/', '.')}"
    if path in NAMES:
        return NAMES[path]
    return f"observation.{path.replace('/', '.')}" if path else "observation.state"


def _parts(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [found for key, part in value.items() for found in _parts(part, f"{path}/{key}" if path else str(key))]
    return [(path, value)]


def is_image(shape: tuple[int, ...], dtype: Any) -> bool:
    """Whether an array is a colour image `(H, W, 3)` uint8."""
    return len(shape) == 3 and shape[2] == 3 and str(dtype) == "uint8"


def policy_shape(space: Any) -> tuple[int, ...]:
    """Shape a policy sees: `(C, H, W)` of an image, the space's own of anything else."""
    shape: tuple[int, ...] = tuple(space.shape)
    return (shape[2], *shape[:2]) if is_image(shape, space.dtype) else shape

"""Does an exported policy belong to this robot or environment? By keys, shapes, names and units."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.protocols.acting import Place
from lerobot.core.types import FeatureSpec
from lerobot.runtime.description import Description, Input, Output

log = logging.getLogger(__name__)


def require_fit(description: Description, place: Place) -> None:
    """Check that a place gives what a policy takes, and takes what it gives.

    Raises:
        FeatureMismatchError: it does not; one line for each thing.
    """
    provided = {place.rename_map.get(key, key): feature for key, feature in place.features.items()}
    problems: dict[str, str] = {}
    ports: list[Input | Output] = [*description.observed, description.action]
    for each in ports:
        for problem in _problems(each, provided.get(each.name), place.specs):
            problems.setdefault(each.name, problem)
    if problems:
        raise FeatureMismatchError(
            f"{place.label} is not what the policy was exported for: {'; '.join(problems.values())}",
            keys=list(problems),
            expected=f"{', '.join(each.name for each in description.observed)}; there is {', '.join(provided)}",
            hint="Rename what has another name: --rename_map='{observation.images.NAME: observation.images.OTHER}'",
        )
    if description.fps is not None and place.fps is not None and description.fps != place.fps:
        log.warning(
            "the policy was exported for %g actions per second, and acts %g times: its motions take %.2g times as long",
            description.fps,
            place.fps,
            description.fps / place.fps,
        )


def _problems(
    port: Input | Output, feature: Mapping[str, Any] | None, specs: Mapping[str, FeatureSpec]
) -> Iterator[str]:
    """What is wrong with one input or the action, the gravest first."""
    if feature is None:
        yield f"{port.name} is missing"
        return
    size = port.observed if isinstance(port, Input) else port.shape[1:]
    names = tuple(feature["names"] or ())
    if port.names and names and len(size) == 1 and port.names != names:
        yield f"{port.name} is {_differing(names, port.names)}"
    if tuple(feature["shape"]) != size:
        yield f"{port.name} has the shape {tuple(feature['shape'])} instead of {size}"
    if isinstance(port.units, tuple) and port.names:
        for name, unit in zip(port.names, port.units, strict=False):
            spec = specs.get(name)
            if unit is not None and spec is not None and spec.unit is not None and spec.unit != unit:
                yield f"{name} is in {spec.unit} instead of {unit}"


def _differing(found: Sequence[str], wanted: Sequence[str]) -> str:
    """Name what differs, and not what is the same."""
    missing = [name for name in wanted if name not in found]
    further = [name for name in found if name not in wanted]
    if not missing and not further:
        return f"in the order {', '.join(found)} instead of {', '.join(wanted)}"
    parts = [f"without {', '.join(missing)}"] * bool(missing) + [f"with {', '.join(further)}"] * bool(further)
    return " and ".join(parts)

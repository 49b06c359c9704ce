"""The links of an arm as capsules: from a small file, from the shapes in the model, or from the links' lengths."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Annotated, Any

import mujoco
import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from lerobot.core.config.base import ConfigModel
from lerobot.core.errors import ConfigError, ConfigProblem

Vector = NDArray[np.float64]
Point = tuple[float, float, float]
Radius = Annotated[float, Field(gt=0, allow_inf_nan=False)]

_SHORTEST_M = 1e-3
"""Links no longer than this are joints that share a place."""

_GEOM = mujoco.mjtGeom


@dataclass(frozen=True, slots=True)
class Capsule:
    """All points no farther than `radius` from a line, in the frame of a body, metres."""

    start: Point
    end: Point
    radius: float


class CapsuleEntry(ConfigModel):
    """A capsule in a file."""

    start: Point = Field(description="One end of its axis, metres, in the link's frame.")
    end: Point = Field(description="The other end.")
    radius: Radius = Field(description="Its radius, metres.")


class CapsuleFile(ConfigModel):
    """What a file of capsules says: links that it does not name are taken from the model."""

    links: dict[str, list[CapsuleEntry]] = Field(default_factory=dict, description="Capsules by link; none hides it.")
    ignore: list[tuple[str, str]] = Field(default_factory=list, description="Pairs of links that may touch.")


def read_capsules(path: Traversable) -> CapsuleFile:
    """Read a file of capsules, YAML or JSON.

    Raises:
        ConfigError: it cannot be read, or is none.
    """
    try:
        return CapsuleFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        hint = " ".join(str(error).split())[:200]
        expected = "a file such as {links: {upper_arm: [{start: [0, 0, 0], end: [0, 0, 0.1], radius: 0.03}]}}"
        raise ConfigError([ConfigProblem("--safety.model.capsules", str(path), expected, hint)]) from error


def capsules_of(
    model: mujoco.MjModel, body: int, given: Mapping[str, list[CapsuleEntry]], *, has_mesh: bool, radius: float
) -> list[Capsule]:
    """Capsules of a body.

    Args:
        model: the arm.
        body: number of the body.
        given: capsules of a file, by the name of the body.
        has_mesh: it has shapes that are not known, so that its length is needed beside the known ones.
        radius: of capsules along the links.
    """
    name = model.body(body).name
    if name in given:
        return [Capsule(entry.start, entry.end, entry.radius) for entry in given[name]]
    first = model.body_geomadr[body]
    shapes = [
        _enclosing(model, geom) for geom in range(first, first + model.body_geomnum[body]) if _collides(model, geom)
    ]
    along = [] if shapes and not has_mesh else list(_along_links(model, body, radius))
    return [*shapes, *along]


def _collides(model: mujoco.MjModel, geom: int) -> bool:
    return bool(model.geom_contype[geom] | model.geom_conaffinity[geom])


def _along_links(model: mujoco.MjModel, body: int, radius: float) -> Any:
    """From the body's own place to those of the bodies that it carries."""
    for child in range(1, model.nbody):
        offset = model.body_pos[child]
        if model.body_parentid[child] == body and np.linalg.norm(offset) > _SHORTEST_M:
            yield Capsule((0.0, 0.0, 0.0), _point(offset), radius)


def _enclosing(model: mujoco.MjModel, geom: int) -> Capsule:
    """The capsule around a sphere, capsule, cylinder, ellipsoid or box."""
    kind, size = model.geom_type[geom], model.geom_size[geom]
    if kind == _GEOM.mjGEOM_SPHERE:
        half, radius, axis = 0.0, float(size[0]), 2
    elif kind in (_GEOM.mjGEOM_CAPSULE, _GEOM.mjGEOM_CYLINDER):
        half, radius, axis = float(size[1]), float(size[0]), 2
    else:
        # The longest side is the axis; the other two, across, lie within a circle.
        axis = int(np.argmax(size))
        half = float(size[axis])
        radius = math.hypot(*(float(size[other]) for other in range(3) if other != axis))
    turn = np.zeros(9)
    mujoco.mju_quat2Mat(turn, model.geom_quat[geom])
    middle, along = model.geom_pos[geom], turn.reshape(3, 3)[:, axis] * half
    return Capsule(_point(middle - along), _point(middle + along), radius)


def _point(values: Vector) -> Point:
    x, y, z = (float(value) for value in values)
    return x, y, z

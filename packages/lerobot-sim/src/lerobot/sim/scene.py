"""The scene as a MuJoCo model: the arm on a table, lit and watched by cameras, with the objects of a task."""

from importlib.resources import files
from typing import Protocol

import mujoco
import numpy as np

TIMESTEP_S = 1 / 600
"""Physics step: every usual camera and control rate (15, 20, 24, 25, 30, 50, 60 Hz) is a whole number of steps."""

SURFACE_GROUP = 1
"""Geom group of what lies below everything else; painted first."""

MARK_GROUP = 2
"""Geom group of markings on the surface; painted second."""

VIEWS = ("front", "side", "top", "wrist")
"""Names of the cameras in the scene."""

BACKGROUND = (0.62, 0.69, 0.76)
"""Colour behind the table, RGB in [0, 1]."""

LIGHT_DIRECTION = (-0.35, 0.25, -0.9)
"""Where the light shines to, world frame."""

LIGHT_DIFFUSE = 0.5
"""Brightness of the light on what faces it."""

TILES = 8
"""Tiles of the table's pattern along each side."""

_TABLE = (0.84, 0.83, 0.80, 1.0)
_RED = (0.85, 0.13, 0.12, 1.0)
_CUBE_DENSITY = 900.0

_EYES = {
    # view: (eye, target, vertical field of view in degrees)
    "front": ((0.60, 0.0, 0.38), (0.13, 0.0, 0.07), 45.0),
    "side": ((0.18, -0.52, 0.30), (0.16, 0.0, 0.08), 45.0),
    "top": ((0.17, 0.0, 0.62), (0.17, 0.0, 0.0), 45.0),
}


class HasObjects(Protocol):
    """What `build` needs of a task."""

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        """Add the task's bodies to the scene."""
        ...


def build(task: HasObjects, *, pattern: bool = False) -> mujoco.MjModel:
    """Compile the arm, the table, the cameras and the objects of a task.

    Args:
        task: brings the objects.
        pattern: lay tiles on the table, `tile_<k>`, which can be coloured and touch nothing.
    """
    spec = mujoco.MjSpec.from_string(files("lerobot.sim").joinpath("so101.xml").read_text(encoding="utf-8"))
    spec.option.timestep = TIMESTEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    # Grasps hold by friction alone: elliptic cones with stiff friction, and no creep of what is held.
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10
    spec.option.noslip_iterations = 3
    # The defaults render shadows of 4096 pixels with four samples: 8 frames per second on a machine without a GPU.
    getattr(spec.visual, "global").offwidth = 1920
    getattr(spec.visual, "global").offheight = 1080
    spec.visual.quality.shadowsize = 512
    spec.visual.quality.offsamples = 0
    spec.visual.headlight.ambient = [0.35, 0.35, 0.35]
    spec.visual.headlight.diffuse = [0.25, 0.25, 0.25]
    spec.visual.headlight.specular = [0.0, 0.0, 0.0]
    # The shadow map covers this much around the centre; cameras see from 1 cm on (znear is in extents).
    spec.stat.extent = 0.5
    spec.stat.center = [0.2, 0.0, 0.1]
    spec.visual.map.znear = 0.02
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        rgb1=BACKGROUND,
        rgb2=BACKGROUND,
        width=64,
        height=384,
    )
    world = spec.worldbody
    world.add_light(
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        pos=[0.4, -0.3, 1.2],
        dir=LIGHT_DIRECTION,
        diffuse=[LIGHT_DIFFUSE] * 3,
        specular=[0.0] * 3,
    )
    world.add_geom(
        name="table",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=[0.2, 0, -0.02],
        size=[0.45, 0.5, 0.02],
        rgba=_TABLE,
        group=SURFACE_GROUP,
        conaffinity=3,
        friction=[0.7, 0.01, 0.0001],
    )
    if pattern:
        _add_tiles(world)
    for name, (eye, target, fovy) in _EYES.items():
        world.add_camera(name=name, pos=eye, fovy=fovy, quat=_looking(eye, target))
    task.add_objects(spec)
    return spec.compile()


def _add_tiles(world: mujoco.MjsBody) -> None:
    width, depth = 0.45 / TILES, 0.5 / TILES
    for number in range(TILES**2):
        row, column = divmod(number, TILES)
        world.add_geom(
            name=f"tile_{number}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=[0.2 - 0.45 + (2 * row + 1) * width, -0.5 + (2 * column + 1) * depth, 0.0],
            size=[width, depth, 0.0002],
            rgba=_TABLE,
            group=SURFACE_GROUP,
            contype=0,
            conaffinity=0,
        )


def tiles(model: mujoco.MjModel) -> list[int]:
    """Numbers of the geoms that are tiles of the table's pattern."""
    return [number for number in range(model.ngeom) if model.geom(number).name.startswith("tile_")]


def add_cube(spec: mujoco.MjSpec, name: str, half: float, rgba: tuple[float, float, float, float] = _RED) -> None:
    """Add a free wooden cube with edges of `2 * half` metres."""
    body = spec.worldbody.add_body(name=name, pos=[0.25, 0, half])
    body.add_freejoint()
    body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[half] * 3,
        rgba=rgba,
        density=_CUBE_DENSITY,
        conaffinity=3,
        condim=4,
        friction=[0.8, 0.01, 0.0001],
        solref=[0.008, 1],
        solimp=[0.95, 0.99, 0.001, 0.5, 2],
    )


def add_mark(spec: mujoco.MjSpec, name: str, radius: float, rgba: tuple[float, float, float, float]) -> None:
    """Add a flat disc on the table that touches nothing and can be moved."""
    _ghost(spec, name, mujoco.mjtGeom.mjGEOM_CYLINDER, [radius, 0.0004, 0], rgba, MARK_GROUP)


def add_ball(spec: mujoco.MjSpec, name: str, radius: float, rgba: tuple[float, float, float, float]) -> None:
    """Add a ball in the air that touches nothing and can be moved."""
    _ghost(spec, name, mujoco.mjtGeom.mjGEOM_SPHERE, [radius, 0, 0], rgba, 0)


def _ghost(
    spec: mujoco.MjSpec,
    name: str,
    kind: mujoco.mjtGeom,
    size: list[float],
    rgba: tuple[float, float, float, float],
    group: int,
) -> None:
    body = spec.worldbody.add_body(name=name, mocap=True)
    body.add_geom(name=name, type=kind, size=size, rgba=rgba, group=group, contype=0, conaffinity=0)


def _looking(eye: tuple[float, float, float], target: tuple[float, float, float]) -> list[float]:
    """Orientation (w, x, y, z) of a camera at `eye` that looks at `target` with the far side up."""
    forward = np.subtract(target, eye) / np.linalg.norm(np.subtract(target, eye))
    # A camera that looks straight down has the far end of the table at the top of its picture.
    up = np.array([1.0, 0.0, 0.0]) if abs(forward[2]) > 0.999 else np.array([0.0, 0.0, 1.0])
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    quat = np.empty(4)
    mujoco.mju_mat2Quat(quat, np.column_stack([right, np.cross(right, forward), -forward]).ravel())
    return [float(part) for part in quat]

"""Reads the links and joints of an arm from a URDF or MJCF file, without its meshes."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import mujoco

from lerobot.core.errors import ConfigError, ConfigProblem

MESH = mujoco.mjtGeom.mjGEOM_MESH


def bundled_models() -> dict[str, Traversable]:
    """URDF files that come with the package, by name."""
    folder = files(__package__).joinpath("models")
    return {file.name.removesuffix(".urdf"): file for file in folder.iterdir() if file.name.endswith(".urdf")}


def read_links(name: str) -> tuple[mujoco.MjModel, set[str]]:
    """Compile an arm.

    Shapes that are not meshes are kept, because they say how thick a link is; meshes need not be there.

    Args:
        name: file, or name of a bundled model.

    Returns:
        The arm, and the bodies that have meshes.

    Raises:
        ConfigError: the file cannot be read, or describes no arm.
    """
    try:
        if (bundled := bundled_models().get(name)) is not None:
            spec = mujoco.MjSpec.from_string(bundled.read_text(encoding="utf-8"))
        elif Path(name).is_file():
            spec = mujoco.MjSpec.from_file(name)
        else:
            raise FileNotFoundError("no such file")
        with_meshes = _without_meshes(spec)
        # Every link keeps its frame, and needs no mass: only geometry is asked for.
        spec.compiler.fusestatic = False
        spec.compiler.boundmass = spec.compiler.boundinertia = 1.0
        return spec.compile(), with_meshes
    except (OSError, ValueError) as error:
        expected = f"a URDF or MJCF file, or one of {', '.join(sorted(bundled_models()))}"
        raise ConfigError([ConfigProblem("--safety.model.file", name, expected, _first_line(error))]) from error


def _without_meshes(spec: mujoco.MjSpec) -> set[str]:
    """Take out what needs further files, and what counts joints."""
    found = set()
    for geom in list(spec.geoms):
        if geom.type == MESH:
            found.add(geom.parent.name)
            spec.delete(geom)
    for others in (spec.meshes, spec.textures, spec.keys):
        for other in list(others):
            spec.delete(other)
    return found


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def bundled_capsules(name: str) -> Traversable | None:
    """The file of capsules of a bundled model; None if it has none, or is not bundled."""
    file = files(__package__).joinpath("models", f"{name}.yaml")
    return file if name in bundled_models() and file.is_file() else None

"""The scenes' meshes and pictures, with stand-ins for those that are too large to be at hand."""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot.libero.config import LiberoConfig

SHARED = Path(__file__).parents[4] / "shared/data"

MESHES = {
    "scenes/kitchen_background/visual/kitchen_background_vis.msh": "../collision/kitchen_background_ch.stl",
    "scenes/kitchen_background_pot/visual/kitchen_background_pot_vis.msh": "../collision/kitchen_background_pot_ch.stl",
    "scenes/kitchen_background_stove/visual/kitchen_background_stove_vis.msh": (
        "../collision/kitchen_background_stove_ch.stl"
    ),
    "scenes/floor_lamp/visual/floor_lamp_vis.msh": "../collision/floor_lamp_ch.stl",
    "scenes/living_room/visual/living_room_vis.msh": "../collision/living_room_ch.stl",
    "stable_scanned_objects/akita_black_bowl/visual/akita_black_bowl_vis.msh": "../akita_black_bowl_col.obj",
    "stable_scanned_objects/basket/visual/basket_vis.msh": "../basket_col.obj",
    "stable_hope_objects/alphabet_soup/visual/textured_vis.msh": "../alphabet_soup_col.obj",
    "stable_hope_objects/butter/visual/butter_vis.msh": "../hope_butter_coll.obj",
    "stable_hope_objects/milk/visual/textured_vis.msh": "../milk_col.obj",
    "stable_hope_objects/salad_dressing/visual/textured_vis.msh": "../salad_dressing_col.obj",
    "stable_hope_objects/tomato_sauce/visual/textured_vis.msh": "../tomato_sauce_col.obj",
}
"""Meshes that are not at hand, and the coarse shape that stands for each."""

PICTURES = [
    *(f"stable_scanned_objects/{name}/texture.png" for name in ("akita_black_bowl", "plate", "basket")),
    *(
        f"stable_hope_objects/{name}/texture_map.png"
        for name in ("alphabet_soup", "butter", "milk", "salad_dressing", "tomato_sauce")
    ),
]


def shape(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Corners `(n, 3)` and triangles `(m, 3)` of a Wavefront or binary STL file."""
    if path.suffix == ".obj":
        corners, faces = [], []
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] == ["v"]:
                corners.append([float(word) for word in words[1:4]])
            elif words[:1] == ["f"]:
                ring = [int(word.split("/")[0]) - 1 for word in words[1:]]
                faces += [[ring[0], ring[k], ring[k + 1]] for k in range(1, len(ring) - 1)]
        return np.array(corners, "<f4"), np.array(faces, "<i4")
    content = path.read_bytes()
    triangle = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("rest", "<u2")])
    triangles = np.frombuffer(content, triangle, struct.unpack("<I", content[80:84])[0], 84)
    corners, indices = np.unique(triangles["corners"].reshape(-1, 3), axis=0, return_inverse=True)
    return corners.astype("<f4"), indices.reshape(-1, 3).astype("<i4")


def mesh(corners: np.ndarray, faces: np.ndarray) -> bytes:
    """A mesh in MuJoCo's own format, without normals."""
    head = struct.pack("<4i", len(corners), 0, len(corners), len(faces))
    return head + corners.tobytes() + np.zeros((len(corners), 2), "<f4").tobytes() + faces.tobytes()


@pytest.fixture(scope="session")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of assets: the one named by the environment, or a part of them with stand-ins."""
    if named := os.environ.get("LEROBOT_LIBERO_ASSETS"):
        return Path(named)
    source = SHARED / "libero_assets"
    if not source.is_dir():
        pytest.skip("../shared is not here, and LEROBOT_LIBERO_ASSETS names no folder")
    from PIL import Image

    folder = tmp_path_factory.mktemp("assets")
    for file in source.rglob("*"):
        if file.is_file():
            place = folder / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(file)
    for name, stand_in in MESHES.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(mesh(*shape(place.parent / stand_in)))
    for name in PICTURES:
        Image.new("RGB", (64, 64), (128, 128, 128)).save(folder / name)
    return folder


@pytest.fixture
def small(assets: Path) -> Callable[..., LiberoConfig]:
    """A configuration of one task with pictures that are quickly drawn."""

    def made(suite: str, number: int, **fields: Any) -> LiberoConfig:
        quick = {"observation_height": 32, "observation_width": 32, "quality": "fast", "hard_reset": False}
        return LiberoConfig(task=suite, task_ids=[number], assets=assets, **{**quick, **fields})

    return made

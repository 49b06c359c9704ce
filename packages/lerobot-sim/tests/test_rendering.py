"""Pictures: the painter against exact rays, OpenGL where it can be loaded, and what happens where it cannot."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lerobot.core.errors import DeviceError
from lerobot.sim.rendering import Pictures, available, make_renderer, opengl
from lerobot.sim.rendering.painter import Painter
from lerobot.sim.rendering.polygons import polygons
from lerobot.sim.rendering.rays import RayCaster
from lerobot.sim.scene import LIGHT_DIRECTION, VIEWS
from lerobot.sim.tasks import TASKS
from lerobot.sim.world import HOME, World

SIZE = (160, 120)


def a_moment() -> World:
    """In the middle of things: the arm turned, two cubes on the table."""
    world = World(TASKS["stack"](), seed=1)
    world.command(HOME + np.array([0.4, 0.3, -0.2, -0.3, 0.5, 0.6]))
    world.advance(1.0)
    return world


@pytest.fixture(scope="module")
def world() -> World:
    return a_moment()


def hues(image: np.ndarray) -> np.ndarray:
    """What a pixel shows, whatever its brightness: 0 grey, 1 yellow, 2 red, 3 blue, 4 sky."""
    red, green, blue = image.astype(int).transpose(2, 0, 1)
    kinds = np.zeros(red.shape, int)
    kinds[(red - blue > 40) & (green - blue > 20)] = 1
    kinds[(red - blue > 40) & (green - blue <= 20)] = 2
    kinds[blue - red > 40] = 3
    kinds[(blue - red > 20) & (blue - red <= 40)] = 4
    return kinds


@pytest.mark.parametrize("view", VIEWS)
def test_the_painter_shows_what_rays_hit(world: World, view: str) -> None:
    """97 of 100 pixels and more show the same thing; the rest are borders of a pixel, and shapes that intersect."""
    painted = Painter(world.model).render(world.data, view, *SIZE)
    exact = RayCaster(world.model).render(world.data, view, *SIZE)
    assert painted.shape == exact.shape == (120, 160, 3)
    assert painted.dtype == np.uint8
    same = hues(painted) == hues(exact)
    assert same.mean() > 0.97


def test_rays_measure_depth(world: World) -> None:
    """The camera above the table looks straight down from 0.62 m."""
    geoms, depth, normals = RayCaster(world.model).cast(world.data, "top", *SIZE)
    table = geoms == world.model.geom("table").id
    assert table.mean() > 0.7
    assert depth[table] == pytest.approx(0.62)
    assert normals[table] == pytest.approx(np.broadcast_to([0.0, 0.0, 1.0], (table.sum(), 3)))
    cube = geoms == world.model.geom("cube").id
    assert depth[cube].min() == pytest.approx(0.62 - 0.03, abs=1e-3)


def test_faces_point_outwards_and_are_flat(world: World) -> None:
    shapes = polygons(world.model)
    centres = shapes.corners.mean(axis=1)
    assert (np.einsum("fi,fi->f", shapes.normals, centres) > 0).all(), "every shape is centred on its frame"
    off = np.einsum("fci,fi->fc", shapes.corners - centres[:, None], shapes.normals)
    assert np.abs(off).max() < 1e-9


def test_a_ball_throws_its_shadow_where_the_light_says() -> None:
    """Seen from 0.62 m above x = 0.17: rows run against x, columns against y, 144.85 pixels a metre at 1 m."""
    world = World(TASKS["reach"]())
    world.place("ball", [0.25, 0.12, 0.10])
    world.advance(1 / 600)
    image = Painter(world.model).render(world.data, "top", *SIZE).astype(int)
    x, y = np.array([0.25, 0.12]) - 0.10 * np.array(LIGHT_DIRECTION[:2]) / LIGHT_DIRECTION[2]
    scale = 60 / np.tan(np.radians(22.5)) / 0.62
    shadow = image[round(59.5 - (x - 0.17) * scale), round(79.5 - y * scale)]
    lit = image[round(59.5 - (x - 0.17) * scale), round(79.5 + y * scale)]
    assert shadow.sum() == pytest.approx(0.7 * lit.sum(), rel=0.02)


@pytest.mark.parametrize("place", [(0.12, -0.05, 0.03), (0.30, 0.02, 0.01), (0.16, 0.06, 0.10)])
def test_faces_beside_and_behind_the_camera_are_clipped(place: tuple[float, float, float]) -> None:
    """A camera between the arm and the objects, with the table reaching behind it, sees what rays hit."""
    world = World(TASKS["stack"](), seed=1)
    world.model.camera("front").pos[:] = place
    world.reset()
    painted = Painter(world.model).render(world.data, "front", *SIZE)
    exact = RayCaster(world.model).render(world.data, "front", *SIZE)
    assert (hues(painted) == hues(exact)).mean() > 0.95


def draw(platform: str, file: str) -> None:
    """Write a picture that this process makes, having checked what drawing does to it."""
    before = dict(os.environ)
    world = a_moment()
    renderer = make_renderer(platform, world.model)
    np.save(file, renderer.render(world.data, "front", *SIZE))
    renderer.close()
    assert opengl.bound() == platform
    assert os.environ == before
    other = next(name for name in opengl.LIBRARIES if name != platform)
    if opengl.loadable(other):
        with pytest.raises(DeviceError, match=f"this process draws with {platform} already"):
            make_renderer(other, world.model)


@pytest.mark.parametrize("platform", list(opengl.LIBRARIES))
def test_opengl_agrees_with_rays_where_it_can_be_loaded(world: World, platform: str, tmp_path: Path) -> None:
    """In a process of its own: one process draws with one platform."""
    if not opengl.loadable(platform):
        pytest.skip(f"{' and '.join(opengl.LIBRARIES[platform])} not on this machine")
    program = "import runpy, sys; runpy.run_path(sys.argv[1])['draw'](*sys.argv[2:])"
    subprocess.run([sys.executable, "-c", program, __file__, platform, tmp_path / "picture.npy"], check=True)
    exact = RayCaster(world.model).render(world.data, "front", *SIZE)
    assert (hues(np.load(tmp_path / "picture.npy")) == hues(exact)).mean() > 0.95


def test_without_opengl_it_paints_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(opengl.ctypes.util, "find_library", lambda _: None)
    with caplog.at_level(logging.INFO):
        renderer = make_renderer("auto", world.model)
    assert renderer.name == "painter"
    assert available() == ["painter", "rays"]
    assert [record.getMessage() for record in caplog.records] == [
        "pictures are painted in software (painter): EGL cannot be loaded here"
    ]


def test_opengl_that_fails_after_all_is_passed_over(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Libraries may be there and still give no context, in a container without a device for instance."""

    def fail(*_: object) -> None:
        raise AttributeError("'NoneType' object has no attribute 'eglQueryString'")

    monkeypatch.setattr(opengl.ctypes.util, "find_library", lambda name: f"lib{name}.so")
    monkeypatch.setattr(opengl.OpenGL, "_open", fail)
    with caplog.at_level(logging.INFO):
        assert make_renderer("auto", world.model).name == "painter"
    assert "eglQueryString" in caplog.text
    with pytest.raises(DeviceError, match="eglQueryString") as error:
        make_renderer("egl", world.model)
    assert isinstance(error.value.__cause__, AttributeError)


@pytest.mark.parametrize(
    ("driver", "chosen"),
    [("llvmpipe (LLVM 15.0.6, 256 bits)", "painter"), ("NVIDIA H200/PCIe/SSE2", "egl"), ("Mesa Intel(R) UHD", "egl")],
)
def test_a_graphics_card_is_preferred_to_the_painter_and_the_painter_to_the_cpu(
    world: World, monkeypatch: pytest.MonkeyPatch, driver: str, chosen: str
) -> None:
    def open_(self: opengl.OpenGL, _: str) -> None:
        self.driver = driver

    monkeypatch.setattr(opengl.ctypes.util, "find_library", lambda name: f"lib{name}.so")
    monkeypatch.setattr(opengl.OpenGL, "_open", open_)
    monkeypatch.setattr(opengl.OpenGL, "_release", lambda _: None)
    renderer = make_renderer("auto", world.model)
    renderer.close()
    assert renderer.name == chosen


def test_asking_for_opengl_that_is_not_there_is_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opengl.ctypes.util, "find_library", lambda _: None)
    with pytest.raises(DeviceError, match="OSMesa is not installed"):
        make_renderer("osmesa", world.model)


def test_pictures_make_a_new_renderer_after_closing(world: World) -> None:
    pictures = Pictures(world, "painter")
    first = pictures.render("front", *SIZE)
    pictures.close()
    pictures.close()
    assert np.array_equal(pictures.render("front", *SIZE), first)

"""The simulated camera: when pictures are made, and of what."""

import numpy as np
import pytest

from lerobot.core.errors import DeviceTimeoutError
from lerobot.sim.camera import SimCamera
from lerobot.sim.config import SimCameraConfig
from lerobot.sim.rendering import Pictures
from lerobot.sim.tasks import TASKS
from lerobot.sim.world import HOME, World


@pytest.fixture
def world() -> World:
    return World(TASKS["reach"]())


def camera(world: World, **fields: object) -> SimCamera:
    config = SimCameraConfig(width=64, height=48, fps=30, **fields)
    device = SimCamera(config, pictures=Pictures(world, "painter"))
    device.connect()
    return device


def test_one_picture_per_period(world: World, clock: object) -> None:
    world.follow(clock)
    device = camera(world)
    first = device.latest_frame()
    assert first.sequence == 0
    clock.time_s += 0.02
    assert device.latest_frame() is first
    clock.time_s += 0.02
    second = device.latest_frame()
    assert second.sequence == 1
    assert second.time_s == pytest.approx(clock.now(), abs=2e-3)
    clock.time_s += 0.1
    assert device.latest_frame().sequence == 2, "what nobody asked for was not made, and is not missing"


def test_waiting_takes_the_worlds_time(world: World, clock: object) -> None:
    world.follow(clock)
    device = camera(world)
    began = clock.now()
    for _ in range(30):
        device.read()
    assert clock.now() - began == pytest.approx(1.0, abs=0.04)
    device.async_read()
    with pytest.raises(DeviceTimeoutError, match="no new frame within 5 ms"):
        device.async_read(timeout_ms=5)
    clock.time_s += 0.001
    assert device.latest_frame().sequence >= 30


def test_a_loop_that_jitters_gets_a_new_picture_every_time(world: World, clock: object) -> None:
    """At the camera's rate, 5 ms early or late."""
    world.follow(clock)
    device = camera(world)
    rng = np.random.default_rng(0)
    began = clock.now()
    numbers = []
    for tick in range(1, 60):
        clock.time_s = began + tick / 30 + rng.uniform(-0.005, 0.005)
        numbers.append(device.latest_frame().sequence)
    assert numbers == list(range(1, 60))


def test_a_faster_loop_does_not_make_it_faster(world: World, clock: object) -> None:
    world.follow(clock)
    device = camera(world)
    for _ in range(120):
        clock.time_s += 1 / 60
        device.latest_frame()
    assert device.latest_frame().sequence == pytest.approx(60, abs=1)


def test_without_a_clock_a_read_lets_the_scene_go_on(world: World) -> None:
    device = camera(world)
    device.read()
    assert world.elapsed_s == pytest.approx(1 / 30, abs=2e-3)


def test_pictures_show_the_present(world: World) -> None:
    device = camera(world)
    before = device.read()
    world.command(HOME + np.array([0.8, 0, 0, 0, 0, 0]))
    world.advance(1.0)
    assert np.abs(device.read().astype(int) - before).max() > 50


def test_old_pictures_are_refused(world: World, clock: object) -> None:
    world.follow(clock)
    device = camera(world, view="top")
    clock.time_s += 0.010
    assert device.read_latest(max_age_ms=15) is not None
    with pytest.raises(DeviceTimeoutError, match="the newest frame is 10"):
        device.read_latest(max_age_ms=5)


def test_every_view_can_be_found_and_opened() -> None:
    for found in SimCamera.find_cameras():
        device = SimCamera.from_discovery(found)
        with device:
            assert device.read().shape == (240, 320, 3)

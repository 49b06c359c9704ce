"""How many pictures a second each way of rendering makes of the virtual arm, at three sizes and two views."""

import time

from measure import table

from lerobot.sim.expert import Expert
from lerobot.sim.rendering import available, make_renderer
from lerobot.sim.tasks import TASKS
from lerobot.sim.world import World

SIZES = [(96, 96), (320, 240), (640, 480)]
VIEWS = ["front", "wrist"]
LONGEST_S = 2.0
MOST = 60


def frames_per_second(world: World, kind: str, view: str, width: int, height: int) -> tuple[float, float]:
    """Pictures per second of wall time, and milliseconds of CPU time per picture, while a cube is placed."""
    renderer = make_renderer(kind, world.model)
    expert = Expert(world)
    world.reset(seed=0, episode=0)
    renderer.render(world.data, view, width, height)
    count, wall, cpu = 0, 0.0, 0.0
    while count < MOST and wall < LONGEST_S:
        world.command(expert.command())
        world.advance(1 / 15)
        wall -= time.perf_counter()
        cpu -= time.process_time()
        renderer.render(world.data, view, width, height)
        wall += time.perf_counter()
        cpu += time.process_time()
        count += 1
    renderer.close()
    return count / wall, 1e3 * cpu / count


def main() -> None:
    world = World(TASKS["place"]())
    rows = []
    for kind in available():
        for view in VIEWS:
            results = [frames_per_second(world, kind, view, *size) for size in SIZES]
            rows.append([kind, view, *(f"{rate:.0f} fps ({cpu:.1f} ms)" for rate, cpu in results)])
    table(rows, ["renderer", "view", *(f"{width}x{height}" for width, height in SIZES)])


if __name__ == "__main__":
    main()

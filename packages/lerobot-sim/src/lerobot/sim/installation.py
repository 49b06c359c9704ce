"""What the virtual robot finds on this machine."""

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from lerobot.core.hooks import hookimpl
from lerobot.core.installation import Fact

PICTURES = 10


@hookimpl
def examine_installation(tell: Callable[[Fact], None]) -> None:
    """Which ways of making pictures work here, and how fast each is."""
    from lerobot.sim.rendering import available
    from lerobot.sim.rendering.opengl import LIBRARIES

    # A process that has drawn with one platform of OpenGL cannot try another.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as alone:
        rates = [alone.submit(_tried, kind).result() if kind in LIBRARIES else _tried(kind) for kind in available()]
    chosen = _tried("auto")
    tell(Fact("renderer", f"{chosen.split()[0]} makes the pictures of 'sim'; at 320x240: {', '.join(rates)}"))


def _tried(kind: str) -> str:
    """Name and rate of a renderer, or why there is none."""
    from lerobot.core.errors import DeviceError
    from lerobot.sim.rendering import make_renderer
    from lerobot.sim.tasks import TASKS
    from lerobot.sim.world import World

    world = World(TASKS["lift"]())
    world.reset(seed=0, episode=0)
    try:
        renderer = make_renderer(kind, world.model)
    except DeviceError as error:
        return error.what
    renderer.render(world.data, "front", 320, 240)
    start = time.perf_counter()
    for _ in range(PICTURES):
        renderer.render(world.data, "front", 320, 240)
    rate = PICTURES / (time.perf_counter() - start)
    renderer.close()
    return f"{renderer.name} {rate:.0f}/s"

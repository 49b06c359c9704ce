"""What the virtual robot finds on this machine."""

import time
from collections.abc import Callable

from lerobot.core.hooks import hookimpl
from lerobot.core.installation import Fact

PICTURES = 10


@hookimpl
def examine_installation(tell: Callable[[Fact], None]) -> None:
    """Which ways of making pictures work here, and how fast each is."""
    from lerobot.core.errors import DeviceError
    from lerobot.sim.rendering import available, make_renderer
    from lerobot.sim.tasks import TASKS
    from lerobot.sim.world import World

    world = World(TASKS["lift"]())
    world.reset(seed=0, episode=0)
    rates = []
    for kind in available():
        try:
            renderer = make_renderer(kind, world.model)
        except DeviceError as error:
            rates.append(error.what)
            continue
        renderer.render(world.data, "front", 320, 240)
        start = time.perf_counter()
        for _ in range(PICTURES):
            renderer.render(world.data, "front", 320, 240)
        rates.append(f"{kind} {PICTURES / (time.perf_counter() - start):.0f}/s")
        renderer.close()
    chosen = make_renderer("auto", world.model)
    tell(Fact("renderer", f"{chosen.name} makes the pictures of 'sim'; at 320x240: {', '.join(rates)}"))
    chosen.close()

"""Draw `tasks.png`: tasks in the middle of being solved, as the painter shows it, from the front and the wrist."""

from pathlib import Path

import cv2
import numpy as np

from lerobot.sim.expert import Expert
from lerobot.sim.rendering import Pictures
from lerobot.sim.tasks import TASKS
from lerobot.sim.world import World

MOMENTS_S = {"reach": 0.4, "reach_red": 0.4, "push": 2.6, "lift": 4.0, "place": 4.2, "stack": 5.2}


def picture(task: str, view: str) -> np.ndarray:
    """One view of a task at its moment, `(240, 320, 3)` uint8 RGB."""
    world = World(TASKS[task](), seed=3)
    expert, pictures = Expert(world), Pictures(world, "painter")
    while world.elapsed_s < MOMENTS_S[task]:
        world.command(expert.command())
        world.advance(1 / 30)
    image = pictures.render(view, 320, 240)
    return np.asarray(cv2.putText(image, task, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 1, cv2.LINE_AA))


def main() -> None:
    """Write the picture beside this file."""
    rows = [np.hstack([picture(task, view) for task in MOMENTS_S]) for view in ("front", "wrist")]
    cv2.imwrite(str(Path(__file__).with_name("tasks.png")), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()

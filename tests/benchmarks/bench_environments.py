"""Processor time of a step in the field's environments, beside huggingface/lerobot's or the simulation's own.

    LEROBOT_PEER_PYTHON=/path/to/python python tests/benchmarks/bench_environments.py [NAME ...]

Each run is a process of its own; both sides take turns, and the median of the rounds counts, with its ratio.
Meta-World is huggingface/lerobot's own class, so its interpreter has to find `metaworld`. gym-hil is the package's own
environment, which huggingface/lerobot plays too. LIBERO is the environment of hf-libero that huggingface/lerobot wraps,
which leaves the wrapper's own work out; it needs LEROBOT_LIBERO_ASSETS.
"""

import os
import statistics
import sys
from dataclasses import dataclass

from measure import run, table

ROUNDS = 3

MEASURE = """
import time
import numpy as np
def measure(env, steps, names=("seed",)):
    random = np.random.default_rng(0)
    env.reset(**{name: 0 for name in names})
    space = env.action_space
    draw = lambda: random.uniform(space.low, space.high).astype(np.float32)
    env.step(draw())
    begin = time.process_time()
    for _ in range(steps):
        env.step(draw())
    print("ms per step", 1e3 * (time.process_time() - begin) / steps)
"""

METAWORLD = """
from lerobot.metaworld.config import MetaworldConfig
measure(MetaworldConfig(task="push-v3", obs_type="pixels_agent_pos", quality="{quality}").build(), 20)
"""

METAWORLD_THERE = """
from lerobot.envs.metaworld import MetaworldEnv
measure(MetaworldEnv("push-v3", obs_type="pixels_agent_pos"), 20)
"""

GYM_HIL = """
from lerobot.gym_hil.config import GymHilConfig
measure(GymHilConfig(task="PandaPickCube-v0", obs_type="{seen}", quality="{quality}").build(), {steps})
"""

GYM_HIL_THERE = """
import gym_hil
measure(gym_hil.make_env("gym_hil/PandaPickCubeBase-v0", image_obs={image_obs}, reset_delay_seconds=0), {steps})
"""

LIBERO = """
from lerobot.libero.config import LiberoConfig
size = dict(observation_height=256, observation_width=256)
measure(LiberoConfig(task="libero_10", task_ids=[2], hard_reset=False, quality="{quality}", **size).build(), 8)
"""

LIBERO_THERE = """
import gymnasium
from lerobot.libero.assets import find_assets
from lerobot.libero.package import problems, suite_tasks, using_assets
classes = problems()
from bddl.parsing import scan_tokens
from robosuite import load_controller_config
bddl = str(suite_tasks("libero_10")[2].bddl)
problem = next(part[1] for part in scan_tokens(filename=bddl) if part[:1] == ["problem"])
with using_assets(find_assets()):
    scene = classes[problem.lower()](
        bddl, robots=["Panda"], controller_configs=load_controller_config(default_controller="OSC_POSE"),
        has_renderer=False, has_offscreen_renderer=True, use_camera_obs=True, ignore_done=True, hard_reset=False,
        camera_names=["agentview", "robot0_eye_in_hand"], camera_heights=256, camera_widths=256, control_freq=20,
    )
scene.action_space = gymnasium.spaces.Box(-1, 1, (7,))
measure(scene, 8, ())
"""


@dataclass(frozen=True)
class Comparison:
    """Programs that measure a step: ours, and what it is compared with.

    Attributes:
        here: runs in this environment.
        there: runs in the peer's if `peer`, else in this one too.
        peer: whether the peer's interpreter runs it.
    """

    here: str
    there: str
    peer: bool = False


PICTURES = {"seen": "pixels_agent_pos", "steps": 4}
STATES = {"seen": "environment_state_agent_pos", "steps": 60}
COMPARISONS = {
    "Meta-World, pictures": Comparison(METAWORLD.format(quality="full"), METAWORLD_THERE, peer=True),
    "Meta-World, quick pictures": Comparison(METAWORLD.format(quality="fast"), METAWORLD_THERE, peer=True),
    "gym-hil, states": Comparison(
        GYM_HIL.format(quality="full", **STATES), GYM_HIL_THERE.format(image_obs=False, steps=60)
    ),
    "gym-hil, pictures": Comparison(
        GYM_HIL.format(quality="full", **PICTURES), GYM_HIL_THERE.format(image_obs=True, steps=4)
    ),
    "gym-hil, quick pictures": Comparison(
        GYM_HIL.format(quality="fast", **PICTURES), GYM_HIL_THERE.format(image_obs=True, steps=4)
    ),
    "LIBERO, pictures": Comparison(LIBERO.format(quality="full"), LIBERO_THERE),
    "LIBERO, quick pictures": Comparison(LIBERO.format(quality="fast"), LIBERO_THERE),
}


def milliseconds(python: str, program: str) -> float:
    """Processor time of a step, as the program says it."""
    done = run([python, "-c", MEASURE + program], HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1", MUJOCO_GL="egl")
    for line in done.output.splitlines():
        if line.startswith("ms per step"):
            return float(line.split()[-1])
    raise SystemExit(done.output)


def main() -> None:
    peer = os.environ.get("LEROBOT_PEER_PYTHON")
    rows = []
    for name in sys.argv[1:] or COMPARISONS:
        comparison = COMPARISONS[name]
        if comparison.peer and not peer:
            continue
        python = peer if comparison.peer else sys.executable
        pairs = [
            (milliseconds(sys.executable, comparison.here), milliseconds(str(python), comparison.there))
            for _ in range(ROUNDS)
        ]
        here, there = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        rows.append([name, f"{here:.1f}", f"{there:.1f}", f"{ratio:.2f}"])
    table(rows, ["processor time of a step", "here, ms", "there, ms", "ratio"])


if __name__ == "__main__":
    main()

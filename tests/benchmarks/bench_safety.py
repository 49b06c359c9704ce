"""What the gate costs a tick: alone, and with workspace, walls, table and the arm's own links.

The same commands are checked several times and the least time of each tick counts, so that a busy machine shows as
little as it can. Quiet commands are a slow teleoperation; hostile ones jump across and out of the workspace.
"""

import logging
import math
import random
import statistics
import sys
import time

from lerobot.core.safety import SafetyConfig, SafetyGate
from lerobot.core.safety.config import Box, Plane, Workspace
from lerobot.core.types import FeatureSpec
from lerobot.kinematics.config import LinksConfig

HZ, TICKS, REPEATS = 60, 5000, 7
JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll")
START = [0.0, -20.0, 20.0, 20.0, 0.0, 20.0]
WORKSPACE = Workspace(
    box=Box(x=(0.05, 0.35), y=(-0.2, 0.2), z=(-0.05, 0.4)),
    planes=[Plane(normal=(-1, 0, 0), offset=-0.42)],
    table_z=0.0,
)


class Arm:
    """What the gate needs of an SO-101."""

    action_features = {
        **{f"{joint}.pos": FeatureSpec(unit="deg", range=(-110, 110), max_velocity=180) for joint in JOINTS},
        "gripper.pos": FeatureSpec(unit="percent", range=(0, 100), max_velocity=200),
    }


def quiet() -> list[list[float]]:
    """Each joint swings slowly around the start."""
    return [
        [start + 12 * math.sin(tick / HZ * (0.5 + 0.2 * joint)) for joint, start in enumerate(START)]
        for tick in range(TICKS)
    ]


def hostile() -> list[list[float]]:
    """A new goal anywhere, and out of range, three times a second."""
    chance = random.Random(1)
    goals = [[chance.uniform(-150, 150) for _ in START] for _ in range(TICKS // 20 + 1)]
    return [goals[tick // 20] for tick in range(TICKS)]


def seconds(config: SafetyConfig, commands: list[list[float]]) -> list[float]:
    """Processor seconds of each tick."""
    gate, keys = SafetyGate.for_robot(Arm(), config), list(Arm.action_features)  # type: ignore[arg-type]
    gate.engage(dict(zip(keys, START, strict=True)), 0.0)
    taken = []
    for tick, command in enumerate(commands, start=1):
        action = dict(zip(keys, command, strict=True))
        begun = time.process_time_ns()
        gate.check(action, tick / HZ)
        taken.append((time.process_time_ns() - begun) / 1e9)
    return taken


def main() -> None:
    logging.disable(logging.WARNING)
    gates = {
        "joints alone": SafetyConfig(ramp_s=0),
        "workspace and collisions": SafetyConfig(ramp_s=0, model=LinksConfig(file="so101"), workspace=WORKSPACE),
    }
    for title, commands in (("quiet", quiet()), ("hostile", hostile())):
        runs: dict[str, list[list[float]]] = {name: [] for name in gates}
        for _ in range(REPEATS):
            for name, config in gates.items():
                runs[name].append(seconds(config, commands))
        for name, each in runs.items():
            least = sorted(min(tick) for tick in zip(*each, strict=True))
            p99 = least[math.ceil(0.99 * len(least)) - 1]
            sys.stdout.write(
                f"{title:8} {name:26} p50 {statistics.median(least) * 1e6:6.1f}  p99 {p99 * 1e6:6.1f}  "
                f"max {least[-1] * 1e6:6.1f} us\n"
            )


if __name__ == "__main__":
    main()

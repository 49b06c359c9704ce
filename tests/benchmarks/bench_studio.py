"""What the studio costs the loop of a robot, and how soon its STOP holds an arm.

Usage: bench_studio.py [PAIRS] [STOPS]

A virtual SO-101 with four cameras is driven at 60 Hz: in turns by itself, and started by a studio of which one page
shows all four pictures. Both are measured at the arm, which writes down when each command arrives. Then STOP is pressed
again and again while a page jogs: from the press to the first command that the arm held.
"""

import math
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from measure import script, table

sys.path.insert(0, str(Path(__file__).parents[1] / "studio"))

from arm_log import ArmLog
from injections import Bench
from raw_client import RawClient
from studio_process import Studio, wait_for
from wire_page import WirePage

FPS, SECONDS, WARM_S = 60, 12, 2.0
VIEWS = ("front", "side", "top", "wrist")
CAMERAS = ", ".join(f"{view}: {{type: sim, width: 320, height: 240, fps: 15}}" for view in VIEWS)
ARGUMENTS = [
    "--robot.type=witness_arm",
    f"--robot.cameras={{{CAMERAS}}}",
    "--teleop.type=scripted",
    f"--fps={FPS}",
    f"--teleop_time_s={SECONDS}",
]


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def jitters_ms(log: ArmLog, pid: int) -> list[float]:
    """How far each period was from what it should be, without the first seconds."""
    commands = log.commands(pid)
    times = [line.time_s for line in commands if line.time_s > commands[0].time_s + WARM_S]
    return [abs(later - earlier - 1 / FPS) * 1e3 for earlier, later in pairwise(times)]


def alone(studio: Studio, log: ArmLog) -> list[float]:
    """Without a studio."""
    command = [script("lerobot"), "teleoperate", *ARGUMENTS]
    with subprocess.Popen(command, env=studio.environment(), cwd=studio.work, stdout=subprocess.DEVNULL) as process:
        process.wait()
    return jitters_ms(log, process.pid)


def watched(studio: Studio, log: ArmLog, visitor: RawClient) -> tuple[list[float], float]:
    """Started by the studio, all cameras shown; also how many pictures a second the page got."""
    page = WirePage(studio, visitor)
    page.take_control()
    run = visitor.start("teleoperate", ARGUMENTS, page.tab)
    page.send(type="watch", run=run, cameras=None, width=640)
    pid = studio.runs()[run]["pid"]
    wait_for(lambda: studio.runs()[run]["ended_s"], "the end of the run", 120)
    page.close()
    return jitters_ms(log, pid), page.pictures / SECONDS


def main() -> None:
    pairs, stops = (int(text) for text in [*sys.argv[1:], *("5", "200")[len(sys.argv) - 1 :]])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder) / "jitter").start()
        try:
            log, visitor = ArmLog(studio.arm_log), RawClient(studio).enter()
            for number in range(pairs):
                without = alone(studio, log)
                with_it, rate = watched(studio, log, visitor)
                one, other = quantile(without, 0.99), quantile(with_it, 0.99)
                rows.append((number, f"{one:.2f}", f"{other:.2f}", f"{other - one:+.2f}", f"{rate:.0f}"))
            memory = studio.memory_mb()
        finally:
            studio.close()
        table(rows, ("pair", "p99 jitter alone, ms", "watched, ms", "difference, ms", "pictures/s"))
        sys.stdout.write(f"memory of the studio {memory:.0f} MB\n")
        bench = Bench(Path(folder) / "stop", seed=1)
        try:
            held = [bench.stop_ms() for _ in range(stops)]
        finally:
            bench.close()
    sys.stdout.write(
        f"STOP to the first held command, {len(held)} times: p50 {quantile(held, 0.5):.1f}  "
        f"p99 {quantile(held, 0.99):.1f}  max {max(held):.1f} ms\n"
    )


if __name__ == "__main__":
    main()

"""How well a virtual SO-101 follower is driven by a virtual leader, beside the peer on the same servos.

Usage: bench_teleoperation.py [SECONDS]      (LEROBOT_PEER_PYTHON names the peer's interpreter)

Everything is measured at the servos, from the packets that arrive there: the rate and jitter of the follower's goals,
and the latency from the leader being asked for its position to the follower getting its goal.
"""

import multiprocessing
import sys
import tempfile
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path

from measure import Run, peer_script, run, script, table

from lerobot.motors import MotorCalibration, save_calibration
from lerobot.motors.virtual import ARMS, with_calibration
from lerobot.motors.virtual.line import Line
from lerobot.motors.virtual.process import serve
from lerobot.motors.virtual.sway import Sway

FPS = 60
SYNC_READ, SYNC_WRITE = 0x82, 0x83
PRESENT_POSITION, GOAL_POSITION = 56, 42
CALIBRATION = {
    "shoulder_pan": MotorCalibration(1, 0, 1603, 761, 3280),
    "shoulder_lift": MotorCalibration(2, 0, -1720, 814, 3171),
    "elbow_flex": MotorCalibration(3, 0, -1799, 898, 3113),
    "wrist_flex": MotorCalibration(4, 0, 1156, 746, 3074),
    "wrist_roll": MotorCalibration(5, 0, 98, 0, 4095),
    "gripper": MotorCalibration(6, 0, 990, 2013, 3514),
}


class TimedPackets(deque):
    """Packets of a line with the monotonic time they arrived at."""

    def append(self, raw: bytes) -> None:
        super().append((time.monotonic(), raw))


def line_process(control: Connection, sways: bool) -> None:
    line = Line(with_calibration(ARMS["so101"], CALIBRATION), time.monotonic())
    line.packets = TimedPackets()
    control.send(line.port)
    serve(line, control=control, each_turn=Sway(line) if sways else None)


@contextmanager
def arm(*, sways: bool) -> Iterator[tuple[str, Connection]]:
    """An arm in a process of its own; its port, and where its packets can be asked for."""
    context = multiprocessing.get_context("spawn")
    control, other_end = context.Pipe()
    process = context.Process(target=line_process, args=(other_end, sways), daemon=True)
    process.start()
    other_end.close()
    try:
        yield control.recv(), control
    finally:
        control.close()
        process.join(5)


def times(control: Connection, code: int, register: int) -> list[float]:
    """When packets of one kind arrived."""
    control.send(("packets", ()))
    return [at for at, raw in control.recv() if raw[4] == code and raw[5] == register]


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def drive(command: str, seconds: float, folder: Path) -> tuple[Run, list[float], list[float]]:
    """Teleoperate; how it went, and when the leader was read and the follower got a goal."""
    with arm(sways=False) as (follower, goals), arm(sways=True) as (leader, readings):
        done = run(
            [
                command,
                *([] if "teleoperate" in command else ["teleoperate"]),
                *("--robot.type=so101_follower", f"--robot.port={follower}", "--robot.id=arm"),
                *("--teleop.type=so101_leader", f"--teleop.port={leader}", "--teleop.id=arm"),
                *(f"--robot.calibration_dir={folder}", f"--teleop.calibration_dir={folder}"),
                *(f"--fps={FPS}", f"--teleop_time_s={seconds:g}"),
            ],
            HF_HUB_OFFLINE="1",
            OMP_NUM_THREADS="1",
        )
        return done, times(readings, SYNC_READ, PRESENT_POSITION), times(goals, SYNC_WRITE, GOAL_POSITION)


def row(name: str, reads: list[float], goals: list[float]) -> list[str]:
    gaps = [after - before for before, after in pairwise(goals)]
    jitter = [abs(gap - 1 / FPS) * 1e3 for gap in gaps]
    latency = [(goal - reads[bisect_right(reads, goal) - 1]) * 1e3 for goal in goals]
    return [
        name,
        str(len(goals)),
        f"{(len(goals) - 1) / (goals[-1] - goals[0]):.3f}",
        *(f"{quantile(jitter, part):.3f}" for part in (0.5, 0.99)),
        f"{max(gaps) * 1e3:.2f}",
        *(f"{quantile(latency, part):.2f}" for part in (0.5, 0.99)),
    ]


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        save_calibration(Path(folder) / "arm.json", CALIBRATION)
        for name, command in (("this", script("lerobot")), ("peer", peer_script("lerobot-teleoperate"))):
            if command is None:
                continue
            done, reads, goals = drive(command, seconds, Path(folder))
            if done.code or len(goals) < 2:
                sys.exit(f"{name} ended with {done.code} after {len(goals)} goals:\n{done.output[-3000:]}")
            rows.append(row(name, reads, goals))
    header = ("", "goals", "rate Hz", "jitter p50 ms", "p99", "worst gap ms", "latency p50 ms", "p99")
    table(rows, header)


if __name__ == "__main__":
    main()

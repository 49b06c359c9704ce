"""Whether the loop keeps its rate: the fake robot at 60 Hz, on an idle machine and with both cores taken."""

import os
import subprocess
import sys

from measure import run, script

COMMAND = [
    script("lerobot"),
    "teleoperate",
    "--robot.type=fake",
    "--teleop.type=fake",
    "--fps=60",
    "--teleop_time_s=10",
]


def main() -> None:
    for title, hogs in (("idle", 0), ("every core busy", os.cpu_count() or 1)):
        busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(hogs)]
        try:
            result = run(COMMAND)
        finally:
            for process in busy:
                process.kill()
                process.wait()
        sys.stdout.write(f"--- {title}: exit {result.code}, {result.wall_s:.2f} s\n{result.output}\n")


if __name__ == "__main__":
    main()

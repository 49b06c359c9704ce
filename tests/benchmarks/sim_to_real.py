"""The page docs/tutorials/sim-to-real.md in full size: success on the arm before and after a few episodes of it.

    python tests/benchmarks/sim_to_real.py [--out FOLDER]

It runs the commands of the page as they stand there, but for the line that says how much of everything, and prints
the success rates.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/tutorials/sim-to-real.md"
BLOCK = re.compile(r"<!-- run slow -->\n+```bash\n(.*?)```", re.DOTALL)
SIZES = re.compile(r"EPISODES=\d+ BATCHES=\d+ ON_THE_ARM=\d+ MORE=\d+ COUNTED=\d+")


def program() -> str:
    """The page's commands, with the sizes that its text names for the table."""
    text = PAGE.read_text(encoding="utf-8")
    first = "".join(BLOCK.findall(text))
    small, full = SIZES.search(first), SIZES.search(text)
    if small is None or full is None or small[0] == full[0]:
        raise SystemExit(f"{PAGE} does not say its sizes twice, in full in its text and small in its commands")
    return first.replace(small[0], full[0])


def main() -> None:
    """Run it and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("outputs/sim_to_real"), help="folder of everything")
    out = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, "PATH": path, "HF_LEROBOT_HOME": str(out / "home")}
    begun = os.times()
    subprocess.run(["bash", "-euo", "pipefail", "-c", program()], cwd=out, env=environ, check=True)
    ended = os.times()
    for name in ("before", "after"):
        found = json.loads((out / "outputs" / name / "eval_info.json").read_text(encoding="utf-8"))["overall"]
        low, high = found["pc_success_interval_95"]
        print(f"{name}: {found['n_success']} of {found['n']}, {low:.1f} to {high:.1f} %")
    print(f"processor time: {ended.children_user - begun.children_user:.0f} s")


if __name__ == "__main__":
    main()

"""Deleting episodes here and with huggingface/lerobot: the same files, the same episodes, in one run.

    LEROBOT_PEER_PYTHON=/path/to/python python tests/benchmarks/bench_dataset_editing.py [--episodes 1000]

A dataset of episodes of 20 frames with one small camera is recorded and finalized first; ten episodes, evenly spread,
are then deleted into a new folder. What takes the time: here cutting and joining the video's packets and writing the
rows; there reading the episodes table once per kept episode, so that the ratio grows with the number of episodes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from measure import run, table

CAMERA = "observation.images.front"
FRAMES, SIZE, DELETED = 20, 64, 10

DELETE_HERE = """
import json, sys, time
from pathlib import Path
from lerobot.dataset_tools.edit.selection import delete_episodes
root, target, episodes = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
begun, cpu = time.perf_counter(), time.process_time()
delete_episodes(root, episodes, target)
print("RESULT" + json.dumps([time.perf_counter() - begun, time.process_time() - cpu]))
"""

DELETE_THERE = """
import json, sys, time
from lerobot.datasets.dataset_tools import delete_episodes
from lerobot.datasets.lerobot_dataset import LeRobotDataset
root, target, episodes = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
dataset = LeRobotDataset("bench/edit", root=root, video_backend="pyav")
begun, cpu = time.perf_counter(), time.process_time()
delete_episodes(dataset, episodes, target, "bench/edited")
print("RESULT" + json.dumps([time.perf_counter() - begun, time.process_time() - cpu]))
"""


def record(root: Path, episodes: int) -> None:
    """Record small pictures that move, and numbers."""
    from lerobot.datasets.writer.recorder import DatasetRecorder

    vector = {"dtype": "float32", "shape": (6,), "names": None}
    picture = {"dtype": "video", "shape": (SIZE, SIZE, 3), "names": ["height", "width", "channels"]}
    features = {"observation.state": vector, "action": vector, CAMERA: picture}
    rng = np.random.default_rng(0)
    scene = np.kron(rng.integers(0, 255, (8, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    with DatasetRecorder.create(root, 30, features) as recorder:
        for _ in range(episodes):
            for k in range(FRAMES):
                numbers = {key: rng.normal(size=6).astype(np.float32) for key in ("observation.state", "action")}
                recorder.add_frame({**numbers, CAMERA: np.roll(scene, 2 * k, axis=1), "task": "move"})
            recorder.save_episode()


def measure(python: str, code: str, root: Path, target: Path, episodes: list[int]) -> tuple[float, float, float]:
    """Seconds on the wall, seconds of the processor and peak megabytes of deleting."""
    environment = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(target.with_name("hf"))}
    finished = run([python, "-W", "ignore", "-c", code, str(root), str(target), json.dumps(episodes)], **environment)
    lines = [line.removeprefix("RESULT") for line in finished.output.splitlines() if line.startswith("RESULT")]
    if not lines:
        raise SystemExit(finished.output[-2000:])
    wall, cpu = json.loads(lines[0])
    info = json.loads((target / "meta/info.json").read_text())
    kept = json.loads((root / "meta/info.json").read_text())["total_episodes"] - len(episodes)
    if info["total_episodes"] != kept:
        raise SystemExit(f"{target} has {info['total_episodes']} episodes, not {kept}")
    return wall, cpu, finished.peak_mb


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=200)
    count = parser.parse_args().episodes
    sides = [("here", sys.executable, DELETE_HERE)]
    if peer := os.environ.get("LEROBOT_PEER_PYTHON"):
        sides.append(("peer", peer, DELETE_THERE))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        # In a process of its own: a child's peak counts from what its parent had in memory.
        code = f"import bench_dataset_editing as b; b.record(b.Path({str(root)!r}), {count})"
        subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)
        deleted = list(range(0, count, count // DELETED))[:DELETED]
        rows, walls = [], []
        for name, python, code in sides:
            wall, cpu, peak = measure(python, code, root, Path(folder) / name, deleted)
            walls.append(wall)
            rows.append([name, f"{wall:.2f}", f"{cpu:.2f}", f"{peak:.0f}", f"{wall / walls[0]:.1f}x"])
        sys.stdout.write(f"{len(deleted)} of {count} episodes of {FRAMES} frames deleted\n")
        table(rows, ["side", "seconds", "CPU seconds", "MB", "time"])


if __name__ == "__main__":
    main()

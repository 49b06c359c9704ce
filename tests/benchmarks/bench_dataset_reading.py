"""Reading a dataset here and with huggingface/lerobot: the same files, the same work, in one run.

    LEROBOT_PEER_PYTHON=/path/to/python python tests/benchmarks/bench_dataset_reading.py [--root FOLDER]

Without `--root` a dataset is recorded first: two 640x480 cameras at 30 fps, 8 episodes of 150 frames, h264. Both sides
decode with PyAV; `--peer-backend torchcodec` lets the peer use its own default where that works. Every measurement is
made in a process of its own, on files that are in the page cache.
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

WORK = """
import json, random, resource, sys, time
root, backend, what = sys.argv[1:4]
import torch
from lerobot.datasets.lerobot_dataset import LeRobotDataset
torch.set_num_threads(1)
kwargs = {"video_backend": backend} if backend else {}
fps = json.load(open(root + "/meta/info.json"))["fps"]
if what == "chunk":
    kwargs["delta_timestamps"] = {"action": [k / fps for k in range(50)]}
def opened():
    return LeRobotDataset("bench/data", root=root, **kwargs)
def rate(work, least=3.0):
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < least:
        count += work()
    return count / (time.perf_counter() - start)
rng = random.Random(0)
if what == "open":
    opened()
    times = []
    for _ in range(5):
        start = time.perf_counter(); opened(); times.append(time.perf_counter() - start)
    result = 1 / sorted(times)[2]
elif what in {"item", "chunk"}:
    dataset = opened(); dataset[0]
    def one():
        dataset[rng.randrange(len(dataset))]
        return 1
    result = rate(one)
else:
    dataset = opened()
    workers = int(what.removeprefix("loader"))
    generator = torch.Generator().manual_seed(0)
    loader = torch.utils.data.DataLoader(dataset, batch_size=16, shuffle=True, num_workers=workers, generator=generator)
    batches = iter(loader); next(batches)
    start, count = time.perf_counter(), 0
    for batch in batches:
        count += len(batch["index"])
        if time.perf_counter() - start > 6: break
    result = count / (time.perf_counter() - start)
own, children = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print("RESULT" + json.dumps([result, own, children]))
"""

MEASUREMENTS = [
    ("open", "opens/s"),
    ("item", "random items/s"),
    ("loader0", "DataLoader items/s, 0 workers"),
    ("loader2", "DataLoader items/s, 2 workers"),
]


def record(root: Path) -> None:
    """Write the dataset with this project's own recorder: moving pictures with some noise, as cameras give."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    cameras = {
        f"observation.images.{name}": {
            "dtype": "video",
            "shape": (480, 640, 3),
            "names": ["height", "width", "channels"],
        }
        for name in ("front", "wrist")
    }
    vectors = {key: {"dtype": "float32", "shape": (6,), "names": None} for key in ("observation.state", "action")}
    dataset = LeRobotDataset.create("bench/data", 30, {**vectors, **cameras}, root=root)
    rng = np.random.default_rng(0)
    scene = np.kron(rng.integers(40, 215, (30, 40, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    for _ in range(8):
        for k in range(150):
            noise = rng.integers(0, 12, (480, 640, 1), dtype=np.uint8)
            pictures = {key: np.roll(scene, 3 * k, axis=1) + noise for key in cameras}
            numbers = {key: rng.normal(size=6).astype(np.float32) for key in vectors}
            dataset.add_frame({**numbers, **pictures, "task": "move"})
        dataset.save_episode()
    dataset.finalize()


def without_cameras(root: Path, target: Path) -> Path:
    """The tabular part of a dataset, for measuring rows alone."""
    info = json.loads((root / "meta/info.json").read_text())
    info["features"] = {key: feature for key, feature in info["features"].items() if feature["dtype"] != "video"}
    (target / "meta").mkdir(parents=True)
    for name in ("data", "meta/episodes", "meta/tasks.parquet", "meta/stats.json"):
        (target / name).symlink_to(root / name)
    (target / "meta/info.json").write_text(json.dumps(info))
    return target


def measure(python: str, root: Path, backend: str, what: str, cache: str) -> tuple[float, float]:
    """Rate per second and peak resident megabytes of all processes."""
    environment = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": cache}
    finished = run([python, "-W", "ignore", "-c", WORK, str(root), backend, what], **environment)
    lines = [line.removeprefix("RESULT") for line in finished.output.splitlines() if line.startswith("RESULT")]
    if not lines:
        raise SystemExit(finished.output[-2000:])
    result, own, children = json.loads(lines[0])
    return result, max(own, children)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--peer-backend", default="pyav")
    arguments = parser.parse_args()
    peer = os.environ.get("LEROBOT_PEER_PYTHON")
    with tempfile.TemporaryDirectory() as folder:
        root = arguments.root
        if root is None:
            root = Path(folder) / "data"
            # In a process of its own, whose encoders then weigh on none of the measurements.
            code = f"from pathlib import Path; import bench_dataset_reading as b; b.record(Path({str(root)!r}))"
            subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)
        rows_only = without_cameras(root.resolve(), Path(folder) / "rows")
        rows = []
        for what, name in [*MEASUREMENTS, ("chunk", "rows with a 50-step chunk, items/s")]:
            place = rows_only if what == "chunk" else root
            ours, our_mb = measure(sys.executable, place, "", what, folder)
            line = [name, f"{ours:.1f}", f"{our_mb:.0f}"]
            if peer:
                theirs, their_mb = measure(peer, place, arguments.peer_backend, what, folder)
                line += [f"{theirs:.1f}", f"{their_mb:.0f}", f"{ours / theirs:.1f}x", f"{our_mb / their_mb:.2f}"]
            rows.append(line)
        table(rows, ["what", "here", "MB", "peer", "MB", "speed", "memory"][: len(rows[0])])


if __name__ == "__main__":
    main()

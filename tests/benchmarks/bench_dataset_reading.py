"""Reading a dataset here and with huggingface/lerobot: the same files, the same work, in one run.

    LEROBOT_PEER_PYTHON=/path/to/python python tests/benchmarks/bench_dataset_reading.py [--root FOLDER]

Without `--root` datasets are recorded first, two 640x480 cameras at 30 fps: the files both sides read are those of this
project's defaults (h264), or with `--files peer` those of the peer's (AV1); with `--files own` each side reads what it
recorded by default. The peer decodes with PyAV; with `--peer-backend torchcodec` as it does where that works.

Every measurement is made in a process of its own, on files that are in the page cache. Beside the rate stands what a
unit costs the processor in all processes together, which also holds on a busy machine. Memory is the peak of what the
whole tree of processes holds: its own and shared pages counted once, and the largest set of mapped files. Most of it is
torch, whoever imports it, so it is also compared beyond what a process needs that does nothing but import torch. Where
this project reads arrays, it needs no torch; the peer gives tensors there too.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from measure import table

WORK = """
import json, os, random, sys, time
root, backend, what = sys.argv[1:4]
if what != "arrays":
    import torch
    torch.set_num_threads(1)
if what == "torch":
    time.sleep(1)  # long enough to be weighed, which happens five times a second
    print("RESULT[0, 0]")
    sys.exit()
from lerobot.datasets.lerobot_dataset import LeRobotDataset
kwargs = {"video_backend": backend} if backend else {}
fps = json.load(open(root + "/meta/info.json"))["fps"]
if what == "chunk":
    kwargs["delta_timestamps"] = {"action": [k / fps for k in range(50)]}
def opened():
    return LeRobotDataset("bench/data", root=root, **kwargs)
def spent():
    # In finished children too: workers are stopped before the clock is read.
    return sum(os.times()[:4])
def rate(work, least=3.0):
    start, cpu, count = time.perf_counter(), spent(), 0
    while time.perf_counter() - start < least:
        count += work()
    return [count / (time.perf_counter() - start), 1000 * (spent() - cpu) / count]
rng = random.Random(0)
if what == "open":
    opened()
    def one():
        opened()
        return 1
    result = rate(one)
elif what in {"item", "chunk", "arrays"}:
    dataset = opened()
    arrays = what == "arrays" and hasattr(dataset, "read_arrays")
    read = (lambda index: dataset.read_arrays([index])) if arrays else dataset.__getitem__
    read(0)
    def one():
        read(rng.randrange(len(dataset)))
        return 1
    result = rate(one)
else:
    dataset = opened()
    workers = int(what.removeprefix("loader"))
    generator = torch.Generator().manual_seed(0)
    loader = torch.utils.data.DataLoader(dataset, batch_size=16, shuffle=True, num_workers=workers, generator=generator)
    cpu, count = spent(), 0
    batches = iter(loader)
    count += len(next(batches)["index"])
    start, first = time.perf_counter(), count
    for batch in batches:
        count += len(batch["index"])
    result = [(count - first) / (time.perf_counter() - start)]
    del batches, loader
    result.append(1000 * (spent() - cpu) / count)
print("RESULT" + json.dumps(result))
"""

MEASUREMENTS = [
    ("open", "opens/s"),
    ("item", "random items/s"),
    ("arrays", "random items/s, as arrays"),
    ("loader0", "DataLoader items/s, 0 workers"),
    ("loader2", "DataLoader items/s, 2 workers"),
]


RECORD = """
import sys
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset
camera = {"dtype": "video", "shape": (480, 640, 3), "names": ["height", "width", "channels"]}
cameras = {f"observation.images.{name}": dict(camera) for name in ("front", "wrist")}
joints = [f"j{i}" for i in range(6)]
vectors = {key: {"dtype": "float32", "shape": (6,), "names": joints} for key in ("observation.state", "action")}
if __name__ == "__main__":
    dataset = LeRobotDataset.create("bench/data", 30, {**vectors, **cameras}, root=sys.argv[1])
    rng = np.random.default_rng(0)
    # Moving pictures with some noise, as cameras give.
    scene = np.kron(rng.integers(40, 215, (30, 40, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    for _ in range(8):
        for k in range(100):
            noise = rng.integers(0, 12, (480, 640, 1), dtype=np.uint8)
            pictures = {key: np.roll(scene, 3 * k, axis=1) + noise for key in cameras}
            numbers = {key: rng.normal(size=6).astype(np.float32) for key in vectors}
            dataset.add_frame({**numbers, **pictures, "task": "move"})
        dataset.save_episode()
    dataset.finalize()
"""


def record(python: str, root: Path) -> Path:
    """Record with the defaults of one side, in a process of its own."""
    script = root.with_suffix(".py")
    script.write_text(RECORD)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "SVT_LOG": "1", "HF_HOME": str(root.with_name("hf"))}
    subprocess.run([python, str(script), str(root)], check=True, env=environment, stderr=subprocess.DEVNULL)
    return root


def without_cameras(root: Path, target: Path) -> Path:
    """The tabular part of a dataset, for measuring rows alone."""
    info = json.loads((root / "meta/info.json").read_text())
    info["features"] = {key: feature for key, feature in info["features"].items() if feature["dtype"] != "video"}
    (target / "meta").mkdir(parents=True)
    for name in ("data", "meta/episodes", "meta/tasks.parquet", "meta/stats.json"):
        (target / name).symlink_to(root / name)
    (target / "meta/info.json").write_text(json.dumps(info))
    return target


def processes(root: int) -> Iterator[int]:
    """A process and all below it."""
    yield root
    for task in Path(f"/proc/{root}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from processes(int(child))


def megabytes(root: int) -> float:
    """What a tree of processes holds now; 0 where one just ended."""
    own = files = 0
    try:
        for process in processes(root):
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text().split()
            own += sum(int(rollup[rollup.index(name) + 1]) for name in ("Pss_Anon:", "Pss_Shmem:"))
            status = Path(f"/proc/{process}/status").read_text().split()
            files = max(files, int(status[status.index("RssFile:") + 1]))
    except (OSError, ValueError):
        return 0.0
    return (own + files) / 1024


def measure(python: str, root: Path, backend: str, what: str, cache: str) -> tuple[float, float, float]:
    """Rate per second, milliseconds of the processor per unit, and peak megabytes of all processes."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": cache}
    command = [python, "-W", "ignore", "-c", WORK, str(root), backend, what]
    peak = 0.0
    with subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as work:
        while work.poll() is None:
            peak = max(peak, megabytes(work.pid))
            time.sleep(0.2)
        assert work.stdout
        output = work.stdout.read()
    lines = [line.removeprefix("RESULT") for line in output.splitlines() if line.startswith("RESULT")]
    if not lines:
        raise SystemExit(output[-2000:])
    rate, milliseconds = json.loads(lines[0])
    return rate, milliseconds, peak


def roots(arguments: argparse.Namespace, peer: str | None, folder: Path) -> tuple[Path, Path]:
    """What this project reads and what the peer reads."""
    if arguments.root is not None:
        return arguments.root, arguments.root
    if arguments.files == "here" or peer is None:
        ours = record(sys.executable, folder / "here")
        return ours, ours
    theirs = record(peer, folder / "peer")
    return record(sys.executable, folder / "here") if arguments.files == "own" else theirs, theirs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--files", choices=("here", "peer", "own"), default="here")
    parser.add_argument("--peer-backend", default="pyav")
    parser.add_argument("--only", nargs="*", help="open, item, arrays, loader0, loader2, chunk")
    arguments = parser.parse_args()
    peer = os.environ.get("LEROBOT_PEER_PYTHON")
    with tempfile.TemporaryDirectory() as folder:
        places = roots(arguments, peer, Path(folder))
        rows_only = without_cameras(places[0].resolve(), Path(folder) / "rows")
        rows = []
        torch = {
            python: measure(python, places[0], "", "torch", folder)[2] for python in (sys.executable, peer) if python
        }
        for what, name in [*MEASUREMENTS, ("chunk", "rows with a 50-step chunk, items/s")]:
            if arguments.only and what not in arguments.only:
                continue
            ours, theirs = (rows_only, rows_only) if what == "chunk" else places
            rate, cost, memory = measure(sys.executable, ours, "", what, folder)
            line = [name, f"{rate:.1f}", f"{cost:.2f}", f"{memory:.0f}"]
            if peer:
                rate_, cost_, memory_ = measure(peer, theirs, arguments.peer_backend, what, folder)
                line += [f"{rate_:.1f}", f"{cost_:.2f}", f"{memory_:.0f}"]
                line += [f"{rate / rate_:.1f}x", f"{cost_ / cost:.1f}x", f"{memory / memory_:.2f}"]
                beyond = (memory - torch[sys.executable]) / (memory_ - torch[peer])
                line.append("" if what == "arrays" else f"{beyond:.2f}")
            rows.append(line)
        header = ["what", "here/s", "CPU ms", "MB", "peer/s", "CPU ms", "MB", "speed", "CPU", "memory", "beyond torch"]
        table(rows, header[: len(rows[0])])


if __name__ == "__main__":
    main()

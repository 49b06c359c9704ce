"""Large jobs on this machine: two workers beside one, and memory over very many small episodes.

    python tests/benchmarks/bench_jobs.py [--repeats 3] [--episodes 10000]

First a dataset of eight files of noise is encoded anew with HEVC, which is bound to the processor, by one and by two
workers in turn. Then so many recordings of twenty rows without a camera are imported, while the memory of the driver
and of its workers is looked at twice a second.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from measure import run, table

from lerobot.datasets.writer.recorder import DatasetRecorder

FILES, FRAMES, SIZE = 8, 150, (240, 320, 3)
ROWS = 20


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "lerobot_cli", *arguments]


def write_dataset(root: Path) -> None:
    """Noise that no codec makes small, a video file for each episode."""
    camera = {"dtype": "video", "shape": SIZE, "names": ["height", "width", "channels"]}
    recorder = DatasetRecorder.create(root, 30, {"observation.images.top": camera})
    rng = np.random.default_rng(0)
    for _ in range(FILES):
        for _ in range(FRAMES):
            recorder.add_frame({"observation.images.top": rng.integers(0, 255, SIZE, np.uint8), "task": "move"})
        recorder.save_episode()
    recorder.close()


def compare_workers(folder: Path, repeats: int) -> None:
    write_dataset(folder / "dataset")
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(repeats):
        for workers, measured in seconds.items():
            result = folder / f"{turn}_{workers}"
            done = run(
                command(
                    *("edit-dataset", f"--root={folder / 'dataset'}", f"--new_root={result}"),
                    *("--operation.type=reencode_videos", "--operation.rgb_encoder.vcodec=hevc"),
                    *("--operation.rgb_encoder.preset=medium", "--shard_size_in_mb=0.001"),
                    *("--executor.type=local", f"--executor.workers={workers}"),
                )
            )
            assert done.code == 0, done.output
            measured.append(done.wall_s)
    rows = [
        (turn, f"{one:.1f}", f"{two:.1f}", f"{one / two:.2f}")
        for turn, (one, two) in enumerate(zip(*seconds.values(), strict=True))
    ]
    table(rows, ["turn", "1 worker, s", "2 workers, s", "ratio"])


def look_at_memory(folder: Path, episodes: int) -> None:
    rng = np.random.default_rng(0)
    (folder / "recordings").mkdir()
    for episode in range(episodes):
        state = rng.random((ROWS, 4), np.float32)
        np.savez(folder / "recordings" / f"{episode}.npz", **{"observation.state": state, "action": state, "fps": 10})
    result = folder / "many"
    flags = ["--executor.type=local", "--executor.workers=2", "--task=move"]
    source = ["--from=npz", f"--from.path={folder / 'recordings'}", f"--root={result}"]
    drivers: list[float] = []
    workers: list[float] = []
    commit: list[float] = []
    began = time.perf_counter()
    with subprocess.Popen(command("convert-dataset", *source, *flags), stderr=subprocess.DEVNULL) as process:
        driver = psutil.Process(process.pid)
        while process.poll() is None:
            time.sleep(0.5)
            try:
                children = [child.memory_info().rss / 1e6 for child in driver.children()]
                (drivers if children else commit).append(driver.memory_info().rss / 1e6)
                workers += children[:1]
            except psutil.NoSuchProcess:
                continue
    assert process.returncode == 0
    rows = [
        (name, *(f"{max(part):.0f}" for part in np.array_split(np.array(values), 4)))
        for name, values in (("driver", drivers), ("worker", workers), ("driver, before and after the shards", commit))
    ]
    print(f"\n{episodes} episodes in {time.perf_counter() - began:.0f} s; peak memory in MB")
    table(rows, ["process", "1st quarter", "2nd", "3rd", "4th"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--episodes", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.repeats:
            compare_workers(Path(folder), given.repeats)
        if given.episodes:
            look_at_memory(Path(folder), given.episodes)


if __name__ == "__main__":
    main()

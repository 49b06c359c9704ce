"""However many files a dataset has, a process that reads all of it holds as much memory and as many files as before."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CAMERA = "observation.images.cam"
PLATEAU_KB = 24 * 1024
"""Most that may be added while the second half is read; one image of each of 10,000 episodes would be 350 MB."""


def with_linked_videos(root: Path, files: int, make_video: Any) -> Path:
    """Give every data file of two rows a video file, all of them links of one."""
    info = json.loads((root / "meta/info.json").read_text())
    camera = {"dtype": "video", "shape": [32, 192, 3], "names": ["height", "width", "channels"]}
    info["features"] = {CAMERA: camera, **info["features"]}
    (root / "meta/info.json").write_text(json.dumps(info))
    folder = root / f"videos/{CAMERA}/chunk-000"
    make_video(folder / "file-000.mp4", range(2))
    for number in range(1, files):
        os.link(folder / "file-000.mp4", folder / f"file-{number:03d}.mp4")
    return root


def check_plateau(root: Path, method: str, frames: int) -> None:
    script = Path(__file__).with_name("memory_probe.py")
    done = subprocess.run([sys.executable, str(script), str(root), method], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    rows = json.loads(done.stdout.splitlines()[-1])
    assert sorted(index for index, *_ in rows) == list(range(frames))
    processes = {process for _, process, *_ in rows}
    assert len(processes) == (1 if method == "none" else 2)
    for process in processes:
        own = [(descriptors, memory) for _, reader, descriptors, memory in rows if reader == process]
        half = len(own) // 2
        assert max(d for d, _ in own[half:]) <= max(d for d, _ in own[:half])
        assert max(m for _, m in own[half:]) - max(m for _, m in own[:half]) < PLATEAU_KB


@pytest.mark.parametrize(
    ("files", "methods"),
    [
        (150, ["fork"]),
        pytest.param(10_000, ["none", "fork", "spawn"], marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
    ],
)
def test_many_files(tmp_path: Path, make_dataset: Any, make_video: Any, files: int, methods: list[str]) -> None:
    root = make_dataset(tmp_path / "d", [2] * files, per_file=1)
    with_linked_videos(root, files, make_video)
    for method in methods:
        check_plateau(root, method, 2 * files)


@pytest.mark.parametrize(
    ("episodes", "methods"),
    [
        (100, ["none"]),
        pytest.param(1000, ["none", "fork", "spawn"], marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
    ],
)
def test_many_episodes(tmp_path: Path, make_dataset: Any, episodes: int, methods: list[str]) -> None:
    root = make_dataset(tmp_path / "d", [4] * episodes, per_file=episodes, video=True)
    for method in methods:
        check_plateau(root, method, 4 * episodes)


def test_reading_imports_neither_pandas_nor_torch(tmp_path: Path, make_dataset: Any) -> None:
    """Arrow imports pandas for many small things, which costs 50 MB and a part of a second in every process."""
    root = make_dataset(tmp_path / "d", [4, 3], video=True)
    code = f"""
import sys
from lerobot.datasets.lerobot_dataset import LeRobotDataset
LeRobotDataset("a/b", {str(root)!r}, video_backend="pyav").read_arrays([0, 5])
print(sorted({{"pandas", "pyarrow.dataset", "datasets", "torch"}} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

"""The import and the re-encoding that every engine does alike, and what counts as the same."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lerobot.core.config import load
from lerobot.dataset_tools.commands.convert_dataset import ConvertDatasetConfig
from lerobot.dataset_tools.commands.edit_dataset import EditDatasetConfig
from lerobot.dataset_tools.conversion.command import convert_dataset_command
from lerobot.dataset_tools.edit.command import edit_dataset
from lerobot.datasets.writer.recorder import DatasetRecorder
from lerobot.jobs.shard import run_shard

JOBS = ("import", "reencode", "statistics")
CAMERA = {"dtype": "video", "shape": (48, 64, 3), "names": ["height", "width", "channels"]}
TINY = 0.001
"""MB of source files for each shard: every file is a shard of its own."""


class Here:
    """An engine that needs no process: one shard after another in this one."""

    def run(self, plan_file: Path, shards: Sequence[int], ended: Callable[[int], None]) -> None:
        for index in shards:
            run_shard(plan_file, index)
            ended(index)


def write_inputs(folder: Path, *, episodes: int = 3, frames: int = 12) -> None:
    """Recordings of another format, a file for each episode, and a dataset whose episodes are files of their own."""
    rng = np.random.default_rng(0)
    recordings = folder / "recordings"
    recordings.mkdir(parents=True)
    features = {"observation.images.top": CAMERA, "action": {"dtype": "float32", "shape": (2,), "names": ["a", "b"]}}
    recorder = DatasetRecorder.create(folder / "dataset", 10, features)
    for episode in range(episodes):
        images = rng.integers(0, 255, (frames, 48, 64, 3), np.uint8)
        actions = rng.random((frames, 2), np.float32)
        np.savez(recordings / f"{episode}.npz", image=images, action=actions, task=f"task {episode % 2}", fps=10)
        for image, action in zip(images, actions, strict=True):
            recorder.add_frame({"observation.images.top": image, "action": action, "task": f"task {episode % 2}"})
        recorder.save_episode()
    # Not joined: a file for each episode.
    recorder.close()


def arguments(job: str, folder: Path, result: Path, *engine: str, size: float = TINY) -> list[str]:
    """The command line of a job, its name first.

    Args:
        job: one of `JOBS`.
        folder: of `write_inputs`.
        result: folder of the dataset that it makes.
        engine: flags that choose the engine; without any, one process does it.
        size: MB of source files for each shard.
    """
    lines = {
        "import": ["convert-dataset", "--from=npz", f"--from.path={folder / 'recordings'}", f"--root={result}"],
        "reencode": [
            *("edit-dataset", f"--root={folder / 'dataset'}", f"--new_root={result}"),
            *("--operation.type=reencode_videos", "--operation.rgb_encoder.crf=30"),
        ],
        "statistics": [
            *("edit-dataset", f"--root={folder / 'dataset'}", f"--new_root={result}"),
            *("--operation.type=recompute_stats", "--operation.skip_image_video=false"),
        ],
    }
    return [*lines[job], *engine, f"--shard_size_in_mb={size}"]


def run(job: str, folder: Path, result: Path, *engine: str, size: float = TINY) -> None:
    """Run a job in this process; see `arguments`."""
    name, *flags = arguments(job, folder, result, *engine, size=size)
    if name == "convert-dataset":
        convert_dataset_command(load(ConvertDatasetConfig, flags).config)
    else:
        edit_dataset(load(EditDatasetConfig, flags).config)


def content(root: Path) -> dict[str, bytes]:
    """Every file of a dataset, by path; what is beside it must be gone."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

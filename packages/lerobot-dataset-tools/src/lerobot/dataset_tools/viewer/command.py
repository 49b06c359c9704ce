"""`lerobot dataset-viz`: an episode as a film, in the Rerun viewer, in an `.rrd` file, or served to a viewer."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import typer

from lerobot.core.errors import ConfigError, ConfigProblem, DatasetError
from lerobot.core.extras import require
from lerobot.core.signals import check_stop, ended_by_signal
from lerobot.dataset_tools.commands.dataset_viz import DatasetVizConfig
from lerobot.dataset_tools.viewer.film import visualize_episode
from lerobot.datasets.format.features import NUMERIC_DTYPES, element_names
from lerobot.datasets.lerobot_dataset import LeRobotDataset

JPEG_QUALITY = 85
MM_PER_METRE = 1000.0
_INDEX_COLUMNS = frozenset({"timestamp", "frame_index", "episode_index", "index", "task_index"})


def dataset_viz(config: DatasetVizConfig, *, wait: Callable[[float], None] = time.sleep) -> None:
    """Show an episode.

    Args:
        config: the command's flags.
        wait: how the server of `--mode=distant` passes the time until it is interrupted.

    Raises:
        LeRobotError: there is no such episode, a file cannot be written, or `rerun-sdk` is not installed.
    """
    if config.film is not None:
        dataset = LeRobotDataset(config.repo_id, config.root, episodes=[config.episode_index])
        typer.echo(str(visualize_episode(dataset, config.episode_index, config.film)))
        return
    rerun: Any = require("rerun", extra="viz", needed_by="lerobot dataset-viz", distribution="lerobot-dataset-tools")
    if config.save and config.output_dir is None:
        raise ConfigError([ConfigProblem("--output_dir", None, "a folder, with --save=1")])
    dataset = LeRobotDataset(
        config.repo_id, config.root, episodes=[config.episode_index], tolerance_s=config.tolerance_s
    )
    recording = rerun.RecordingStream(_name(config.repo_id, config.episode_index))
    if config.save and config.output_dir is not None:
        path = _file(config.output_dir, config.repo_id, config.episode_index)
        recording.save(str(path))
        _log(rerun, recording, dataset, config)
        typer.echo(str(path))
    elif config.mode == "local":
        recording.spawn()
        _log(rerun, recording, dataset, config)
    else:
        address = recording.serve_grpc(grpc_port=config.grpc_port)
        rerun.serve_web_viewer(web_port=config.web_port or 9090, open_browser=False, connect_to=address)
        _log(rerun, recording, dataset, config)
        typer.echo(f"serving {address}; end with Ctrl-C")
        _serve(wait)
        typer.echo("")
    recording.disconnect()


def _serve(wait: Callable[[float], None]) -> None:
    with ended_by_signal():
        while True:
            wait(1.0)
            check_stop()


def _file(folder: Path, repo_id: str, episode: int) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"{folder} cannot be written: {error.strerror or error}") from error
    return folder / f"{_name(repo_id, episode)}.rrd"


def _name(repo_id: str, episode: int) -> str:
    return f"{repo_id.replace('/', '_')}_episode_{episode}"


def _log(rerun: Any, recording: Any, dataset: LeRobotDataset, config: DatasetVizConfig) -> None:
    """Write all frames, a batch at a time so that its images are decoded in one pass."""
    names = {
        key: [f"{key}/{name}" for name in element_names(feature)]
        for key, feature in dataset.features.items()
        if feature["dtype"] in NUMERIC_DTYPES and key not in _INDEX_COLUMNS and len(feature["shape"]) == 1
    }
    for start in range(0, len(dataset), config.batch_size):
        for frame in dataset.read_arrays(range(start, min(start + config.batch_size, len(dataset)))):
            recording.set_time("frame_index", sequence=int(frame["frame_index"]))
            recording.set_time("timestamp", duration=float(frame["timestamp"]))
            for key in dataset.meta.camera_keys:
                _log_image(rerun, recording, key, frame[key], compress=config.display_compressed_images)
            for key, paths in names.items():
                for path, value in zip(paths, np.ravel(frame[key]).tolist(), strict=True):
                    recording.log(path, rerun.Scalars(float(value)))
            recording.log("task", rerun.TextDocument(frame["task"]))


def _log_image(rerun: Any, recording: Any, key: str, image: Any, *, compress: bool) -> None:
    if image.shape[-1] == 1:
        recording.log(key, rerun.DepthImage(image[..., 0], meter=MM_PER_METRE))
        return
    shown = rerun.Image(image)
    recording.log(key, shown.compress(jpeg_quality=JPEG_QUALITY) if compress else shown)

"""A folder as the commands of the quickstart leave it, and a stand-in for running them."""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot.quickstart.results import episodes_recorded

os.environ["HF_HUB_OFFLINE"] = "1"


def recorded(data: Path, episodes: int) -> None:
    """What `record` leaves."""
    info = data / "meta" / "info.json"
    info.parent.mkdir(parents=True, exist_ok=True)
    info.write_text(json.dumps({"total_episodes": episodes}))


def trained(run: Path, steps: int) -> None:
    """What `train` leaves: a row per step, and a checkpoint."""
    model = run / "checkpoints" / "last" / "pretrained_model"
    model.mkdir(parents=True, exist_ok=True)
    (model / "train_config.json").write_text("{}")
    with (run / "metrics.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "loss", "validation_loss"])
        writer.writerows([[step, 1.0 / step, ""] for step in range(1, steps + 1)])


def evaluated(folder: Path, successes: int, episodes: int = 50) -> None:
    """What `eval` leaves."""
    overall = {"n_success": successes, "n": episodes, "pc_success_interval_95": [87.5, 98.9]}
    (folder / "videos" / "sim_0").mkdir(parents=True, exist_ok=True)
    (folder / "videos" / "sim_0" / "eval_episode_10.mp4").write_bytes(b"film ten")
    (folder / "videos" / "sim_0" / "eval_episode_2.mp4").write_bytes(b"film two")
    (folder / "eval_info.json").write_text(json.dumps({"overall": overall}))


@pytest.fixture
def leave() -> Callable[[tuple[str, ...]], None]:
    """Leave what a command of the recipe would."""

    def call(command: tuple[str, ...]) -> None:
        flags = dict(flag.removeprefix("--").split("=", 1) for flag in command[1:])
        match command[0]:
            case "record":
                root = Path(flags["dataset.root"])
                before = json.loads((root / "meta/info.json").read_text())["total_episodes"] if root.exists() else 0
                recorded(root, before + int(flags["dataset.num_episodes"]))
            case "edit-dataset":
                roots = [Path(root) for root in json.loads(flags["operation.roots"])]
                recorded(Path(flags["new_root"]), sum(map(episodes_recorded, roots)))
            case "train":
                trained(Path(flags["output_dir"]), int(flags["steps"]))
            case "eval":
                evaluated(Path(flags["output_dir"]), 0 if "untrained" in flags["output_dir"] else 48)

    return call

"""What a dataset is, in a few lines."""

from pathlib import Path

import numpy as np

from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata


def describe_dataset(repo_id: str, root: Path, *, show_features: bool = False) -> str:
    """A text about a dataset of any version.

    Args:
        repo_id: its name.
        root: its folder.
        show_features: list the features.

    Raises:
        DatasetError: there is no dataset, or it is damaged.
    """
    meta = LeRobotDatasetMetadata(repo_id, root)
    lengths = meta.episodes.column("length")
    size = sum(path.stat().st_size for path in meta.root.rglob("*") if path.is_file())
    facts = {
        "dataset": repo_id,
        "folder": meta.root,
        "format": meta.info.codebase_version,
        "robot": meta.robot_type or "unknown",
        "episodes": meta.total_episodes,
        "frames": meta.total_frames,
        "rate": f"{meta.fps:g} frames/s",
        "duration": f"{meta.total_frames / meta.fps:.1f} s",
        "cameras": ", ".join(meta.camera_keys) or "none",
        "size": f"{size / 2**20:.1f} MB",
    }
    if lengths.size:
        facts["episode length"] = f"{lengths.min()} to {lengths.max()} frames, median {np.median(lengths):g}"
    lines = [f"{name + ':':<16}{value}" for name, value in facts.items()]
    lines += ["tasks:", *(f"  {number}: {task}" for number, task in enumerate(meta.tasks))]
    if show_features:
        lines.append("features:")
        for key, feature in meta.features.items():
            names = feature["names"]
            shown = f", {', '.join(map(str, names))}" if isinstance(names, (list, tuple)) else ""
            lines.append(f"  {key}: {feature['dtype']} {tuple(feature['shape'])}{shown}")
    return "\n".join(lines)

"""Edits of whole datasets: checked first, built aside, put in place in one step, undone in one step."""

from lerobot.datasets.editing.cameras import convert_image_to_video, reencode_videos
from lerobot.datasets.editing.convert import convert_dataset
from lerobot.datasets.editing.features import add_features, remove_feature
from lerobot.datasets.editing.outcome import EditResult
from lerobot.datasets.editing.selection import delete_episodes, merge, split
from lerobot.datasets.editing.statistics import recompute_stats
from lerobot.datasets.editing.swap import undo
from lerobot.datasets.editing.tasks import modify_tasks

__all__ = [
    "EditResult",
    "add_features",
    "convert_dataset",
    "convert_image_to_video",
    "delete_episodes",
    "merge",
    "modify_tasks",
    "recompute_stats",
    "reencode_videos",
    "remove_feature",
    "split",
    "undo",
]

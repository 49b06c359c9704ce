"""Edits of whole datasets: checked first, built aside, put in place in one step, undone in one step."""

from lerobot.dataset_tools.edit.cameras import convert_image_to_video, reencode_videos
from lerobot.dataset_tools.edit.convert import convert_dataset
from lerobot.dataset_tools.edit.derived import repair
from lerobot.dataset_tools.edit.features import add_feature, add_features, remove_feature, rename_feature
from lerobot.dataset_tools.edit.outcome import EditResult
from lerobot.dataset_tools.edit.selection import delete_episodes, keep_episodes, merge, split
from lerobot.dataset_tools.edit.statistics import recompute_stats
from lerobot.dataset_tools.edit.success import set_outcome
from lerobot.dataset_tools.edit.swap import undo
from lerobot.dataset_tools.edit.tasks import modify_tasks
from lerobot.dataset_tools.edit.trim import trim

__all__ = [
    "EditResult",
    "add_feature",
    "add_features",
    "convert_dataset",
    "convert_image_to_video",
    "delete_episodes",
    "keep_episodes",
    "merge",
    "modify_tasks",
    "recompute_stats",
    "reencode_videos",
    "remove_feature",
    "rename_feature",
    "repair",
    "set_outcome",
    "split",
    "trim",
    "undo",
]

"""What a LeRobotDataset folder holds: paths, `info.json`, features, tasks, episodes and statistics.

Everything here is data and its validation, shared by reading, writing and editing; nothing decodes or encodes.
"""

from lerobot.datasets.format.episodes import Episodes, load_episodes
from lerobot.datasets.format.info import Info, load_info
from lerobot.datasets.format.stats_json import Stats, load_stats
from lerobot.datasets.format.tasks import Tasks, load_tasks

__all__ = ["Episodes", "Info", "Stats", "Tasks", "load_episodes", "load_info", "load_stats", "load_tasks"]

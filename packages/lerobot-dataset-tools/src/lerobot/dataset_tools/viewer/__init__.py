"""Looking at episodes: in the Rerun viewer, and as films."""

from lerobot.dataset_tools.viewer.film import visualize_episode

__all__ = ["visualize_episode"]

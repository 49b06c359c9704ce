"""`StreamingLeRobotDataset` under the module name that users know."""

from lerobot.datasets.streaming.dataset import StreamingLeRobotDataset

__all__ = ["StreamingLeRobotDataset"]

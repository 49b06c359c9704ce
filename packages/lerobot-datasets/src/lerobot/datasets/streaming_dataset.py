"""`StreamingLeRobotDataset` under the module name that users know."""

from lerobot.datasets.stream.dataset import StreamingLeRobotDataset

__all__ = ["StreamingLeRobotDataset"]

"""LeRobotDataset: the store of robot demonstrations."""

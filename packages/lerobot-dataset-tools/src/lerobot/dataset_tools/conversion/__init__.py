"""Recordings of other formats as LeRobotDatasets: `lerobot convert-dataset --from=...`."""

"""What was experienced: kept in memory to learn from, and on the disk as a dataset."""

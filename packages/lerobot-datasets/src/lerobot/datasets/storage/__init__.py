"""The rows of a dataset: numbers in one shared mapping, everything else in memory-mapped tables."""

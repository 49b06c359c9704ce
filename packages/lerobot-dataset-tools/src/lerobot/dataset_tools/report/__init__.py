"""Looking at a dataset: one HTML page about all of it, or an episode in the Rerun viewer."""

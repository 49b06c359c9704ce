"""Q-chunking with flow Q-learning: chunks of actions from recordings with rewards."""

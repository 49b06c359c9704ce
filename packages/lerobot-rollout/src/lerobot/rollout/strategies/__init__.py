"""Strategies: what is done beside driving a robot, one module each."""

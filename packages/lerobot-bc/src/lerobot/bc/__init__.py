"""Behaviour cloning, batch-constrained Q-learning and reward-weighted regression with MLP, RNN and Transformer."""

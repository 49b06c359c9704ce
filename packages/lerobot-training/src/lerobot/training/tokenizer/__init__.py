"""Tokenizers of actions, fitted to datasets."""

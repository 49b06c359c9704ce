"""Robots, recordings and policies in the browser: one page per command, live pictures and curves, an emergency stop."""

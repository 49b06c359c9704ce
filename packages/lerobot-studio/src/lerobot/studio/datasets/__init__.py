"""Recordings: which there are, what is in them, and what is to be changed in them."""

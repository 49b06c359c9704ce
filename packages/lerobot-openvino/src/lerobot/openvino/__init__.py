"""Exports policies for OpenVINO, and runs them."""

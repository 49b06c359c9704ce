"""Exports policies to engines of TensorRT."""

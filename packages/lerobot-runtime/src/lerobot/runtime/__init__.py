"""Runs exported policies with ONNX Runtime alone, without torch."""

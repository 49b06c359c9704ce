"""Runs large jobs and trainings on a Ray cluster."""

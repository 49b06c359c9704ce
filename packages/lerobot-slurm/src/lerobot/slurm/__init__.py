"""Runs large jobs and trainings on a SLURM cluster."""

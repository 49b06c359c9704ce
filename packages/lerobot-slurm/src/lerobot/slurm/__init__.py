"""Runs large jobs and trainings on a SLURM cluster.

`script` writes what `sbatch` is given, `queue` speaks with SLURM's commands, `executor` waits for what they say.
"""

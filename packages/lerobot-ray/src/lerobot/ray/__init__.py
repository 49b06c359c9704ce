"""Runs large jobs and trainings on a Ray cluster.

`cluster` joins it, `task` is what runs on its nodes, `executor` hands out shards and `trainer` starts one command in
many processes.
"""

"""The flags of commands whose work an engine can do in shards."""

EXECUTOR = "Engine that does the work in shards, such as local; without it, this process does it."
SHARD_SIZE = "With --executor: MB of source files for each shard. The result does not depend on the number of workers."
SHARD_MEGABYTES = 64.0
"""Seconds to minutes of work, and few enough shards for any engine."""

"""Plugins that others wrote for huggingface/lerobot: found, configured and driven as ours are.

`finder` reads the names they register out of their source, importing nothing. `models` makes our configuration of
theirs. `robot`, `teleoperator` and `camera` stand between their devices and our protocols.
"""

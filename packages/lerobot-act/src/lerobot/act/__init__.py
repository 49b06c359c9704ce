"""ACT, Action Chunking with Transformers.

`config` has its settings, `transformer` the layers, `modeling` the whole network, `policy` how it learns and acts.
"""

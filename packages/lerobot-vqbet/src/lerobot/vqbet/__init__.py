"""VQ-BeT, Vector-Quantized Behavior Transformer.

`config` has its settings, `codes` turns actions into codes and back, `gpt` is the transformer, `modeling` the whole
network, `policy` how it learns and acts.
"""

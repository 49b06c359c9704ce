"""Diffusion Policy.

`config` has its settings, `noise` what is added to actions and taken away again, `unet` the network that tells them
apart, `modeling` the whole network, `policy` how it learns and acts.
"""

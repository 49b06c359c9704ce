"""Diffusion Policy.

`config` has its settings, `unet` the network that tells actions and noise apart, `modeling` the whole network, `policy`
how it learns and acts. How noise is added and taken away is in `lerobot.policies.denoising`.
"""

from lerobot.core.deprecation import keep_moved_modules

keep_moved_modules(__name__, {"noise": "lerobot.policies.denoising.noise"})

"""Real-time chunking: a chunk that is predicted while the one before is executed, and goes on where that one is.

`lerobot.core.config.rtc` holds the settings, `continuation` what a chunk continues and the protocol of policies that
can, `weights` how much of it counts, `guidance` the sampling that is pulled towards it, and `prefix` the sampling of
policies that have learned to be given its beginning.

Source: Black, Galliker and Levine 2025, arXiv:2506.07339 (guided); Black et al. 2025, arXiv:2512.05964 (trained).
"""

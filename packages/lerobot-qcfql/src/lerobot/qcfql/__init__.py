"""Q-chunking with flow Q-learning: values of whole chunks of actions, from recordings with rewards and from practice.

`config` has its settings, `modeling` the networks, `losses` says what is learned, `policy` learns and acts.
"""

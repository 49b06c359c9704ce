"""A phone as a teleoperator: its pose in the browser over WebXR, or HEBI's app on iOS.

`server` serves the page in `page/` and hears what it sends, which `messages` reads and `tracker` makes poses of; `hebi`
hears the app. `teleoperator` calibrates either, and `processor` makes commands of an end effector of it.
"""

"""A phone as a teleoperator: its pose in the browser over WebXR, or HEBI's app on iOS."""

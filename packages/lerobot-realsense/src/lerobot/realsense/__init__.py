"""Intel RealSense cameras: colour and depth."""

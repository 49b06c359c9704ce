"""What the device commands do: calibrate, set up motors, find ports, cameras and joint limits."""

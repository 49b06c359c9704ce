"""What is installed, and what is wrong with it: `lerobot doctor`, `info` and `plugins`."""

"""`lerobot stop`."""

"""What of a robot's pictures is looked at."""

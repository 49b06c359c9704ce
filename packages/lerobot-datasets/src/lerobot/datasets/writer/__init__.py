"""Recording: nothing acknowledged can be lost, and no picture can move to another row."""

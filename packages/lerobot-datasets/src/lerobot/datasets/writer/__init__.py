"""Recording: nothing acknowledged can be lost, and no image can move to another row."""

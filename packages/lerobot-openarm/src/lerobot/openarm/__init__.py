"""OpenArm arms, followers and leaders, single and in pairs."""

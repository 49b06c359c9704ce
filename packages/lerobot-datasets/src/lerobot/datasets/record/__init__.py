"""`lerobot record`: episodes and reset periods, recorded while a person drives a robot."""

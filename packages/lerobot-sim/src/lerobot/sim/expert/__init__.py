"""The scripted expert: an operator who solves every task with inverse kinematics."""

from lerobot.sim.expert.expert import Expert, Skill

__all__ = ["Expert", "Skill"]

"""What there is to do on the table."""

from lerobot.sim.task import Task
from lerobot.sim.tasks.lift import Lift
from lerobot.sim.tasks.place import Place
from lerobot.sim.tasks.push import Push
from lerobot.sim.tasks.reach import Reach, ReachBlue, ReachRed
from lerobot.sim.tasks.stack import Stack

TASKS: dict[str, type[Task]] = {task.name: task for task in (Lift, Place, Push, Reach, ReachBlue, ReachRed, Stack)}
"""Every task by name."""

__all__ = ["TASKS", "Lift", "Place", "Push", "Reach", "ReachBlue", "ReachRed", "Stack", "Task"]

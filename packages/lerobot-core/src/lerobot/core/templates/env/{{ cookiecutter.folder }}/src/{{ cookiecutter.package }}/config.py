"""Configuration of {{ cookiecutter.title }}. Light: it imports no simulator, because `--help` imports it."""

from lerobot.core.config import EnvConfig
from pydantic import Field


class {{ cookiecutter.class_name }}Config(EnvConfig):
    """{{ cookiecutter.title }}."""

    target = "{{ cookiecutter.package }}.env:{{ cookiecutter.class_name }}"

    type: str = "{{ cookiecutter.name }}"
    # YOURS: what a user may change about the task.
    max_steps: int = Field(default=100, gt=0, description="Steps after which an episode is cut off.")
    success_radius: float = Field(default=0.05, gt=0, description="Distance to the goal that counts as solved, m.")

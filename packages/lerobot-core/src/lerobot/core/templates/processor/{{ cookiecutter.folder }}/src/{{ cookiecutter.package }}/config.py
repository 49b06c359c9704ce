"""Configuration of {{ cookiecutter.title }}; its fields are what is saved with a pipeline."""

from lerobot.core.config import ProcessorStepConfig
from pydantic import Field


class {{ cookiecutter.class_name }}Config(ProcessorStepConfig):
    """{{ cookiecutter.title }}: smooths robot actions."""

    target = "{{ cookiecutter.package }}.processor:{{ cookiecutter.class_name }}"

    type: str = "{{ cookiecutter.name }}"
    # YOURS: the settings of your step.
    share: float = Field(default=0.5, gt=0, le=1, description="How much of a new action is taken; 1 is no smoothing.")

"""Configuration of {{ cookiecutter.title }}. Light: it imports no array library, because `--help` imports it."""

from lerobot.core.config import PolicyConfig
from pydantic import Field


class {{ cookiecutter.class_name }}Config(PolicyConfig):
    """{{ cookiecutter.title }}."""

    target = "{{ cookiecutter.package }}.policy:{{ cookiecutter.class_name }}"

    type: str = "{{ cookiecutter.name }}"
    # YOURS: the hyper-parameters of your policy; they are saved with every checkpoint.
    state_dim: int = Field(default=6, gt=0, description="Elements of observation.state.")
    action_dim: int = Field(default=6, gt=0, description="Elements of an action.")
    horizon: int = Field(default=8, gt=0, description="Actions predicted at once.")
    n_action_steps: int = Field(default=8, gt=0, description="Actions executed before predicting again.")

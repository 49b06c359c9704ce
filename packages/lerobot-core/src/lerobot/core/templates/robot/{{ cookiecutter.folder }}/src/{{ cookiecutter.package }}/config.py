"""Configuration of {{ cookiecutter.title }}. Light: it imports no driver, because `--help` imports it."""

from lerobot.core.config import CameraConfig, RobotConfig
from pydantic import Field


class {{ cookiecutter.class_name }}Config(RobotConfig):
    """{{ cookiecutter.title }}."""

    target = "{{ cookiecutter.package }}.robot:{{ cookiecutter.class_name }}"

    type: str = "{{ cookiecutter.name }}"
    # YOURS: what a user must say to reach your robot; `description` is its line in --help.
    port: str = Field(default="virtual", description="Port of the arm; 'virtual' is the simulated one.")
    cameras: dict[str, CameraConfig] = Field(default_factory=dict, description="Cameras by name, of any type.")

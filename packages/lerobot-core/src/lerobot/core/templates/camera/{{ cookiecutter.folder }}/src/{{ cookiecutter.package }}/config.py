"""Configuration of {{ cookiecutter.title }}. Light: it imports no driver, because `--help` imports it."""

from lerobot.core.config import CameraConfig
from pydantic import Field


class {{ cookiecutter.class_name }}Config(CameraConfig):
    """{{ cookiecutter.title }}."""

    target = "{{ cookiecutter.package }}.camera:{{ cookiecutter.class_name }}"

    type: str = "{{ cookiecutter.name }}"
    # YOURS: what a user must say to choose your camera; `description` is its line in --help.
    serial_number: str = Field(default="virtual", description="Which camera; 'virtual' is the simulated one.")
    fps: float = Field(default=30.0, gt=0, description="Frames per second.")
    width: int = Field(default=320, gt=0, description="Picture width in pixels.")
    height: int = Field(default=240, gt=0, description="Picture height in pixels.")

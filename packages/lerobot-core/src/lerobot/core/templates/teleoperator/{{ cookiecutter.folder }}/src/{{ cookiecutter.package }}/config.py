"""Configuration of {{ cookiecutter.title }}. Light: it imports no driver, because `--help` imports it."""

from lerobot.core.config import TeleoperatorConfig
from pydantic import Field


class {{ cookiecutter.class_name }}Config(TeleoperatorConfig):
    """{{ cookiecutter.title }}."""

    target = "{{ cookiecutter.package }}.teleoperator:{{ cookiecutter.class_name }}"

    type: str = "{{ cookiecutter.name }}"
    # YOURS: what a user must say to reach your device; `description` is its line in --help.
    port: str = Field(default="virtual", description="Port of the device; 'virtual' is the simulated one.")

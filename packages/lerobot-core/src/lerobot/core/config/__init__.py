"""Configuration: models (`base`), and how command lines, files and environment become them."""

from lerobot.core.config.base import (
    CameraConfig,
    CommandConfig,
    ConfigModel,
    EnvConfig,
    PluginConfig,
    PolicyConfig,
    ProcessorStepConfig,
    RobotConfig,
    TeleoperatorConfig,
)

__all__ = [
    "CameraConfig",
    "CommandConfig",
    "ConfigModel",
    "EnvConfig",
    "PluginConfig",
    "PolicyConfig",
    "ProcessorStepConfig",
    "RobotConfig",
    "TeleoperatorConfig",
]

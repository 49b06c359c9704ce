"""Configuration: models (`base`), and how command lines, files and environment become them."""

from lerobot.core.config.base import (
    CameraConfig,
    CommandConfig,
    ConfigModel,
    EnvConfig,
    NoEffect,
    OptimizerConfig,
    PluginConfig,
    PolicyConfig,
    Positional,
    ProcessorStepConfig,
    RobotConfig,
    SchedulerConfig,
    TeleoperatorConfig,
    Unit,
)
from lerobot.core.config.installed import Installed
from lerobot.core.config.judges import RewardModelConfig, SuccessDetectorConfig
from lerobot.core.config.load import Loaded, discover_package, load
from lerobot.core.config.policies import ChunkPolicyConfig
from lerobot.core.config.render import render

__all__ = [
    "CameraConfig",
    "ChunkPolicyConfig",
    "CommandConfig",
    "ConfigModel",
    "EnvConfig",
    "Installed",
    "Loaded",
    "NoEffect",
    "OptimizerConfig",
    "PluginConfig",
    "PolicyConfig",
    "Positional",
    "ProcessorStepConfig",
    "RewardModelConfig",
    "RobotConfig",
    "SchedulerConfig",
    "SuccessDetectorConfig",
    "TeleoperatorConfig",
    "Unit",
    "discover_package",
    "load",
    "render",
]

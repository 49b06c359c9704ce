"""The conformance kit: contract suites for plugins, fixtures, and fakes for the kit's own tests.

A plugin's test file subclasses the contract of its kind and supplies one or two fixtures; see `contracts`. Names are
loaded when they are first asked for, because pytest imports this package in every session.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lerobot.core.testing.contracts.camera import CameraContract
    from lerobot.core.testing.contracts.env import EnvContract
    from lerobot.core.testing.contracts.package import PluginPackageContract
    from lerobot.core.testing.contracts.policy import PolicyContract
    from lerobot.core.testing.contracts.processor import ProcessorContract
    from lerobot.core.testing.contracts.reward_model import RewardModelContract
    from lerobot.core.testing.contracts.robot import RobotContract
    from lerobot.core.testing.contracts.teleoperator import TeleoperatorContract
    from lerobot.core.testing.fake_env import FakeEnv
    from lerobot.core.testing.fake_policy import FakePolicy
    from lerobot.core.testing.fake_reward_model import FakeRewardModel
    from lerobot.core.testing.plugins import PluginFolder
    from lerobot.core.testing.prompter import ScriptedPrompter
    from lerobot.core.testing.typist import Typist

_MODULES = {
    "CameraContract": "contracts.camera",
    "EnvContract": "contracts.env",
    "FakeEnv": "fake_env",
    "FakePolicy": "fake_policy",
    "FakeRewardModel": "fake_reward_model",
    "PluginFolder": "plugins",
    "PluginPackageContract": "contracts.package",
    "PolicyContract": "contracts.policy",
    "ProcessorContract": "contracts.processor",
    "RewardModelContract": "contracts.reward_model",
    "RobotContract": "contracts.robot",
    "ScriptedPrompter": "prompter",
    "TeleoperatorContract": "contracts.teleoperator",
    "Typist": "typist",
}

__all__ = [
    "CameraContract",
    "EnvContract",
    "FakeEnv",
    "FakePolicy",
    "FakeRewardModel",
    "PluginFolder",
    "PluginPackageContract",
    "PolicyContract",
    "ProcessorContract",
    "RewardModelContract",
    "RobotContract",
    "ScriptedPrompter",
    "TeleoperatorContract",
    "Typist",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)

"""The contracts of teleoperators, in a terminal and on a desktop, and of packages."""

from typing import ClassVar

import pytest

from lerobot.core.testing import PluginPackageContract, TeleoperatorContract
from lerobot.keyboard.config import KeyboardConfig, KeyboardEEConfig, KeyboardRoverConfig


class TestKeyboard(TeleoperatorContract):
    @pytest.fixture
    def config(self, typist) -> KeyboardConfig:
        return KeyboardConfig(backend="terminal")


class TestEndEffector(TeleoperatorContract):
    capabilities: ClassVar[set[str]] = {"events"}

    @pytest.fixture
    def config(self, typist) -> KeyboardConfig:
        return KeyboardEEConfig(backend="terminal")


class TestRover(TeleoperatorContract):
    @pytest.fixture
    def config(self, typist) -> KeyboardConfig:
        return KeyboardRoverConfig(backend="terminal")


class TestDesktop(TeleoperatorContract):
    @pytest.fixture
    def config(self, listener: type) -> KeyboardConfig:
        return KeyboardConfig(backend="pynput")


class TestPackage(PluginPackageContract):
    distribution = "lerobot-keyboard"

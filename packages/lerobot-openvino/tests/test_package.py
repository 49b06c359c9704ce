"""The contract of plugin packages."""

from lerobot.core.testing import PluginPackageContract


class TestPackage(PluginPackageContract):
    distribution = "lerobot-openvino"

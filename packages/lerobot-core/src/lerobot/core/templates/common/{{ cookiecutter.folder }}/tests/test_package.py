"""The package is found, light and documented."""

from lerobot.core.testing import PluginPackageContract


class TestPackage(PluginPackageContract):
    distribution = "{{ cookiecutter.distribution }}"

"""A plugin outlives one release: the number it was made for decides whether it loads, with a warning, or is refused."""

import logging
import sys

import pytest

from lerobot.core.errors import PluginLoadError
from lerobot.core.registry import Registry
from lerobot.core.testing.plugins import PluginFolder

MODULE = """
from lerobot.core.config import RobotConfig
class Config(RobotConfig):
    target = "collections:OrderedDict"
class Other(Config):
    pass
"""


def installed(plugins: PluginFolder, declared: str | None, monkeypatch: pytest.MonkeyPatch, core: int) -> Registry:
    """A plugin that declares a number, found by a core that has another."""
    points = {"robot": {"thing": "thing_config:Config", "other": "thing_config:Other"}}
    metadata = plugins.install("lerobot-robot-thing", points, {"thing_config": MODULE})
    if declared is not None:
        file = metadata / "entry_points.txt"
        file.write_text(f"{file.read_text()}\n[lerobot.plugin_api]\n{declared} = thing_config\n")
    monkeypatch.setattr("lerobot.core.registry.api.PLUGIN_API", core)
    return Registry()


@pytest.mark.parametrize(("declared", "core"), [("1", 1), ("3", 3), (None, 1)])
def test_the_same_number_loads_silently(
    plugins: PluginFolder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, declared: str, core: int
) -> None:
    registry = installed(plugins, declared, monkeypatch, core)
    assert registry.config_class("robot", "thing").__name__ == "Config"
    assert not caplog.records
    assert not [entry for entry in registry.damaged() if "thing" in entry.distribution]


@pytest.mark.parametrize("declared", ["1", None])
def test_a_plugin_of_the_number_before_loads_with_one_warning(
    plugins: PluginFolder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, declared: str | None
) -> None:
    registry = installed(plugins, declared, monkeypatch, 2)
    with caplog.at_level(logging.WARNING):
        assert registry.config_class("robot", "thing").__name__ == "Config"
        assert registry.config_class("robot", "other").__name__ == "Other"
    assert [record.getMessage() for record in caplog.records] == [
        "robot 'thing' (lerobot-robot-thing 0.1.0) still works, but it is made for plugin API 1, "
        "lerobot-core has 2; upgrade the plugin."
    ]


@pytest.mark.parametrize(
    ("declared", "core", "remedy"), [("1", 3, "upgrade the plugin"), ("4", 3, "upgrade lerobot-core")]
)
def test_any_other_number_is_refused_on_one_line_and_imports_nothing(
    plugins: PluginFolder, monkeypatch: pytest.MonkeyPatch, declared: str, core: int, remedy: str
) -> None:
    registry = installed(plugins, declared, monkeypatch, core)
    with pytest.raises(PluginLoadError) as caught:
        registry.config_class("robot", "thing")
    assert str(caught.value) == (
        f"robot 'thing' (lerobot-robot-thing 0.1.0) cannot be used: it is made for plugin API {declared}, "
        f"lerobot-core has {core}; {remedy}."
    )
    assert "thing_config" not in sys.modules
    assert registry.check(registry.find("robot", "thing")) is not None


@pytest.mark.parametrize("declared", ["one", "1 = x\n2"])
def test_a_declaration_that_is_no_number_is_reported(
    plugins: PluginFolder, monkeypatch: pytest.MonkeyPatch, declared: str
) -> None:
    registry = installed(plugins, declared, monkeypatch, 1)
    assert [entry.cause for entry in registry.damaged() if entry.distribution == "lerobot-robot-thing"] == [
        f"ValueError: entry-point group 'lerobot.plugin_api' holds {declared.replace(' = x' + chr(10), ', ')}, "
        "expected one whole number"
    ]
    assert "thing" not in registry.names("robot")

"""Plugins of huggingface/lerobot: seen by the name of their distribution, and usable through a finder."""

import sys

import pytest

from lerobot.core.errors import PluginLoadError, PluginNotFoundError
from lerobot.core.registry import Registry
from lerobot.core.registry.discovery import third_party_kind
from lerobot.core.testing.plugins import PluginFolder

CLASSES = """
class Robot: ...
class Toaster(Robot): ...
class ToasterConfig: ...
"""
FINDER = """
from lerobot.core.config import RobotConfig
from lerobot.core.registry import Damaged, Discovered

def find(distributions):
    names = [other.distribution for other in distributions if other.kind == "robot"]
    value = "toaster_classes:ToasterConfig"
    found = [Discovered("robot", "toaster", value, name, "1", through="lerobot-finds") for name in names]
    return found, [Damaged(other.distribution, "no robot") for other in distributions if other.kind != "robot"]

def adapted(found, loaded):
    if loaded.__module__ != "toaster_classes":
        return None
    return type("Adapted", (RobotConfig,), {"target": "collections:OrderedDict", "__module__": "finds"})
"""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("lerobot_robot_toaster", "robot"),
        ("LeRobot-Teleoperator.toaster", "teleoperator"),
        ("lerobot-camera-toaster", "camera"),
        ("lerobot_policy_toaster", "policy"),
        ("lerobot_env_toaster", "env"),
        ("lerobot_robot_toaster-1.0.dist-info", "robot"),
        ("lerobot-robot", ""),
        ("lerobot-robots-toaster", ""),
        ("lerobot-motor-starai", ""),
        ("lerobot-policies", ""),
        ("my-lerobot-robot-x", ""),
    ],
)
def test_a_name_says_the_kind_however_it_is_spelled(name: str, kind: str) -> None:
    assert third_party_kind(name) == kind


@pytest.fixture
def toaster(plugins: PluginFolder) -> PluginFolder:
    """Two distributions as others make them for huggingface/lerobot: one named with underscores, one with hyphens."""
    plugins.install("lerobot_robot_toaster", {}, {"lerobot_robot_toaster": "raise RuntimeError('imported')"})
    plugins.install("lerobot-camera-toaster", {}, {"toaster_classes": CLASSES})
    return plugins


def test_without_a_finder_they_are_listed_as_not_reached_and_imported_never(toaster: PluginFolder) -> None:
    registry = Registry()
    unreached = {found.distribution: (found.kind, found.version) for found in registry.unreached()}
    assert unreached["lerobot-robot-toaster"] == ("robot", "0.1.0")
    assert unreached["lerobot-camera-toaster"] == ("camera", "0.1.0")
    assert "lerobot_robot_toaster" not in sys.modules


def test_an_unknown_name_says_that_one_is_there_and_what_it_needs(
    toaster: PluginFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEROBOT_PLUGINS", "lerobot-robot-toaster")
    with pytest.raises(PluginNotFoundError) as caught:
        Registry().config_class("robot", "toaster")
    assert "lerobot-robot-toaster: for huggingface/lerobot; needs lerobot-compat." in caught.value.hint


def test_a_blocked_distribution_is_not_seen(toaster: PluginFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEROBOT_BLOCK_PLUGINS", "lerobot_robot_toaster")
    assert "lerobot-robot-toaster" not in {found.distribution for found in Registry().unreached()}


def test_a_finder_makes_them_plugins_and_reports_the_rest(
    toaster: PluginFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEROBOT_PLUGINS", "lerobot-robot-toaster,lerobot-camera-toaster,lerobot-finds")
    toaster.install("lerobot-finds", {"finder": {"finds": "finds"}}, {"finds": FINDER})
    registry = Registry()
    found = registry.find("robot", "toaster")
    assert (found.distribution, found.through) == ("lerobot-robot-toaster", "lerobot-finds")
    assert [entry.distribution for entry in registry.damaged()] == ["lerobot-camera-toaster"]
    assert "toaster_classes" not in sys.modules
    cls = registry.config_class("robot", "toaster")
    assert cls.target == "collections:OrderedDict"
    assert "lerobot-robot-toaster" not in {found.distribution for found in registry.unreached()}


def test_a_class_of_the_peers_kind_in_our_group_gets_the_finders_adapter(toaster: PluginFolder) -> None:
    toaster.install("lerobot-robot-pro", {"robot": {"pro": "toaster_classes:Toaster"}})
    with pytest.raises(PluginLoadError, match="'toaster_classes:Toaster' is not a subclass of RobotConfig"):
        Registry().config_class("robot", "pro")
    toaster.install("lerobot-finds", {"finder": {"finds": "finds"}}, {"finds": FINDER})
    assert Registry().config_class("robot", "pro").kind == "robot"


def test_a_module_that_imports_the_peers_names_says_what_makes_it_usable(
    plugins: PluginFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEROBOT_PLUGINS", "lerobot-robot-pro")
    plugins.install(
        "lerobot-robot-pro",
        {"robot": {"pro": "pro_class:Pro"}},
        {"pro_class": "from lerobot.no_such_module import X\n"},
    )
    with pytest.raises(PluginLoadError) as caught:
        Registry().config_class("robot", "pro")
    assert "No module named 'lerobot.no_such_module'" in str(caught.value)
    assert "written for huggingface/lerobot; lerobot-compat makes it usable" in caught.value.hint

"""The fixtures of the pytest plugin do what they promise."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lerobot.core.errors import PluginNotFoundError
from lerobot.core.paths import calibration_root
from lerobot.core.registry import Registry, registry
from lerobot.core.testing import PluginFolder, ScriptedPrompter

CONFIG = """
from lerobot.core.config import RobotConfig

class TinyConfig(RobotConfig):
    target = "tiny_arm.config:TinyConfig"
    type: str = "tiny"
"""


def test_tmp_plugin_installs_a_distribution(tmp_plugin: PluginFolder) -> None:
    tmp_plugin.install(
        "lerobot-robot-tiny", {"robot": {"tiny": "tiny_arm.config:TinyConfig"}}, {"tiny_arm.config": CONFIG}
    )
    found = registry.find("robot", "tiny")
    assert (found.distribution, found.version) == ("lerobot-robot-tiny", "0.1.0")
    assert registry.config_class("robot", "tiny").__name__ == "TinyConfig"
    assert "tiny_arm.config" in sys.modules


def test_what_tmp_plugin_installed_is_gone_afterwards() -> None:
    """Runs after the test above in the same module; the order does not matter to what it asserts."""
    assert "tiny_arm.config" not in sys.modules
    with pytest.raises(PluginNotFoundError):
        registry.find("robot", "tiny")


def test_isolated_registry_sees_core_and_temporary_plugins_only(
    isolated_registry: Registry, tmp_plugin: PluginFolder
) -> None:
    tmp_plugin.install(
        "lerobot-robot-tiny", {"robot": {"tiny": "tiny_arm.config:TinyConfig"}}, {"tiny_arm.config": CONFIG}
    )
    assert {found.distribution for found in isolated_registry.plugins()} == {"lerobot-core", "lerobot-robot-tiny"}


def test_isolated_registry_takes_back_what_was_registered(isolated_registry: Registry) -> None:
    with isolated_registry.temporary():
        isolated_registry.register("robot", "local", object)
        assert "local" in isolated_registry.names("robot")
    assert "local" not in isolated_registry.names("robot")


def test_lerobot_home_holds_calibrations(lerobot_home: Path, tmp_path: Path) -> None:
    assert calibration_root() == lerobot_home / "calibration"
    assert lerobot_home.is_relative_to(tmp_path)
    assert os.environ["HF_LEROBOT_HOME"] == str(lerobot_home)


def test_no_network_fails_connections_to_other_machines(no_network: None) -> None:
    with socket.socket() as client, pytest.raises(pytest.fail.Exception, match=r"192\.0\.2\.1"):
        client.connect(("192.0.2.1", 80))


def test_no_network_lets_this_machine_talk_to_itself(no_network: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())


def test_scripted_prompter_answers_in_order_and_remembers(scripted_prompter: ScriptedPrompter) -> None:
    prompter = ScriptedPrompter(["c", "no"])
    assert [prompter.ask("a"), prompter.ask("b"), prompter.ask("d")] == ["c", "no", ""]
    assert prompter.asked == ["a", "b", "d"]
    assert scripted_prompter.ask("anything") == ""


def test_the_plugin_loads_nothing_until_a_fixture_runs() -> None:
    program = (
        "import sys, pytest; before = set(sys.modules)\n"
        "import lerobot.core.testing.pytest_plugin\n"
        "print(*sorted(name for name in set(sys.modules) - before if not name.startswith('lerobot')))\n"
        "print(*sorted(name for name in sys.modules if name.partition('.')[0] == 'lerobot'))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    others, ours = done.stdout.splitlines()
    assert not others.strip()
    assert ours.split() == ["lerobot", "lerobot.core", "lerobot.core.testing", "lerobot.core.testing.pytest_plugin"]

"""The command line in an environment full of broken plugins: each is told with its cause, all else works."""

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lerobot.core.registry import KINDS
from lerobot.core.testing.plugins import PluginFolder

OTHERS = {found.name for found in importlib.metadata.distributions() if found.name.startswith("lerobot-")} - {
    "lerobot-core"
}
"""What else is installed beside core: importing all of it is not what is tried here."""


def lerobot(*arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(path), "COLUMNS": "100", "LEROBOT_BLOCK_PLUGINS": ",".join(OTHERS)}
    code = "import sys, lerobot_cli; sys.argv[0] = 'lerobot'; lerobot_cli.main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=environ, timeout=60, check=False
    )


def test_every_other_command_goes_on_working(broken: PluginFolder) -> None:
    for arguments in (["--help"], ["info"], ["plugins", "list"], ["teleoperate", "--robot.type=fake", "--help"]):
        done = lerobot(*arguments, path=broken.folder)
        assert done.returncode == 0, (arguments, done.stderr)
        assert "Traceback" not in done.stderr


def test_doctor_names_each_cause(broken: PluginFolder, causes: dict[str, tuple[str, str]]) -> None:
    done = lerobot("doctor", path=broken.folder)
    assert done.returncode == 1
    for name, (distribution, cause) in causes.items():
        assert f"'{name}' ({distribution}" in done.stdout
        assert cause in done.stdout
    assert "claimed by twin-a and twin-b" in done.stdout
    assert "command 'explode'" in done.stdout
    assert "RuntimeError: boom" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_doctor_tries_implementations_when_asked(broken: PluginFolder) -> None:
    assert "works_impl" not in lerobot("doctor", path=broken.folder).stdout
    assert "ModuleNotFoundError: No module named 'works_impl'" in lerobot("doctor", "--deep", path=broken.folder).stdout


def test_a_broken_command_tells_its_cause_when_used(broken: PluginFolder) -> None:
    done = lerobot("explode", path=broken.folder)
    assert done.returncode == 1
    assert "RuntimeError: boom" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["quitter", "typo"])  # every cause by itself: see `test_registry`
def test_using_a_broken_plugin_tells_its_cause(
    broken: PluginFolder, causes: dict[str, tuple[str, str]], name: str
) -> None:
    distribution, cause = causes[name]
    done = lerobot("teleoperate", f"--robot.type={name}", "--teleop.type=fake", path=broken.folder)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: --robot.type: got '{name}'")
    assert distribution in done.stderr
    assert cause in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_claimed_twice_is_an_error_naming_both(broken: PluginFolder) -> None:
    done = lerobot("teleoperate", "--robot.type=twin", "--teleop.type=fake", path=broken.folder)
    assert done.returncode == 2
    assert "one of twin-a:twin, twin-b:twin" in done.stderr


def test_the_list_is_json_when_asked_and_warns_of_damage(broken: PluginFolder) -> None:
    done = lerobot("plugins", "list", "robots", "--format=json", path=broken.folder)
    rows = {(row["name"], row["distribution"]): row["status"] for row in json.loads(done.stdout)}
    assert rows["good", "works"] == "installed"
    assert rows["twin", "twin-a"] == rows["twin", "twin-b"] == "claimed twice"
    assert done.stderr.count("warning:") == 2


def test_info_explains_one_plugin(broken: PluginFolder) -> None:
    good = lerobot("plugins", "info", "robot", "good", path=broken.folder)
    assert good.returncode == 0
    assert "distribution:   works 0.1.0" in good.stdout
    assert "speed: a number; default 1.0" in good.stdout
    needy = lerobot("plugins", "info", "robot", "needy", path=broken.folder)
    assert needy.returncode == 1
    assert "vendor_sdk_that_is_absent" in needy.stderr


def test_a_regular_package_named_lerobot_is_explained(tmp_path: Path) -> None:
    package = tmp_path / "lerobot"
    package.mkdir()
    (package / "__init__.py").write_text("__version__ = '0.6.1'\n")
    done = lerobot("--help", path=tmp_path)
    assert done.returncode == 2
    assert str(package / "__init__.py") in done.stderr
    assert "lerobot doctor --repair" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_kind_lists_the_kinds(plugins: PluginFolder) -> None:
    done = lerobot("plugins", "list", "robt", path=plugins.folder)
    assert done.returncode == 2
    assert done.stderr == f"error: KIND: got 'robt', expected one of {', '.join(KINDS)}\n"


def test_a_plugin_of_the_peer_that_nothing_reaches_is_listed_and_told(plugins: PluginFolder) -> None:
    plugins.install("lerobot_robot_toaster", {}, {"lerobot_robot_toaster": "raise RuntimeError('imported')"})
    listed = lerobot("plugins", "list", "robot", path=plugins.folder)
    assert "(unknown)" in listed.stdout
    assert "lerobot-robot-toaster  0.1.0    needs lerobot-compat" in " ".join(listed.stdout.splitlines())
    told = lerobot("doctor", path=plugins.folder)
    assert told.returncode == 0, told.stdout
    assert "lerobot-robot-toaster 0.1.0 is written for huggingface/lerobot and cannot be used yet" in told.stdout
    assert "-> lerobot-compat makes it usable." in told.stdout

"""A folder of plugins that are broken in every known way, beside one that works."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lerobot.core.registry import Registry
from lerobot.core.testing.plugins import PluginFolder

CONFIG = """
from typing import ClassVar
from lerobot.core.config import {base}
class Config({base}):
    "A tiny plugin."
    target: ClassVar[str] = "{module}_impl:Thing"
    speed: float = 1.0
"""


def config_module(module: str, base: str = "RobotConfig") -> str:
    return CONFIG.format(base=base, module=module)


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PluginFolder]:
    """An empty folder on the path."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    plugins = PluginFolder(folder, Registry())
    yield plugins
    plugins.forget_modules()


@pytest.fixture
def broken(plugins: PluginFolder) -> PluginFolder:
    """Seven distributions, one of them whole."""
    plugins.install("works", {"robot": {"good": "works_config:Config"}}, {"works_config": config_module("works")})
    plugins.install(
        "needs-sdk", {"robot": {"needy": "needy_config:Config"}}, {"needy_config": "import vendor_sdk_that_is_absent\n"}
    )
    plugins.install("bad-syntax", {"robot": {"typo": "typo_config:Config"}}, {"typo_config": "class Config(:\n"})
    plugins.install("wrong-module", {"robot": {"lost": "no_such_module:Config"}})
    plugins.install("wrong-class", {"robot": {"other": "other_config:Missing"}}, {"other_config": "class Other: ...\n"})
    plugins.install("wrong-base", {"robot": {"alien": "alien_config:Alien"}}, {"alien_config": "class Alien: ...\n"})
    plugins.install(
        "exits", {"robot": {"quitter": "quitter_config:Config"}}, {"quitter_config": "raise SystemExit(3)\n"}
    )
    for name in ("twin-a", "twin-b"):
        module = name.replace("-", "_")
        plugins.install(name, {"robot": {"twin": f"{module}:Config"}}, {module: config_module(module)})
    plugins.install(
        "bad-command",
        {"command": {"explode": "explode_config:Config"}},
        {"explode_config": "raise RuntimeError('boom')\n"},
    )
    damaged = plugins.install("damaged", {"robot": {"ghost": "ghost:Config"}})
    (damaged / "METADATA").write_bytes(b"\xff\xfe not metadata")
    points = plugins.install("bad-points", {"robot": {"x": "y:Z"}})
    (points / "entry_points.txt").write_text("[lerobot.robots\nthis is not an entry point\n")
    return plugins


CAUSES = {
    "needy": ("needs-sdk", "ModuleNotFoundError: No module named 'vendor_sdk_that_is_absent'"),
    "typo": ("bad-syntax", "SyntaxError: invalid syntax"),
    "lost": ("wrong-module", "ModuleNotFoundError: No module named 'no_such_module'"),
    "other": ("wrong-class", "AttributeError: module 'other_config' has no attribute 'Missing'"),
    "alien": ("wrong-base", "'alien_config:Alien' is not a subclass of RobotConfig"),
    "quitter": ("exits", "SystemExit: 3"),
}
"""Registered name of each broken plugin: its distribution, and its real cause."""


@pytest.fixture(params=sorted(CAUSES))
def broken_plugin(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    """Name, distribution and cause of one broken plugin."""
    return (request.param, *CAUSES[request.param])


@pytest.fixture
def causes() -> dict[str, tuple[str, str]]:
    """All of them."""
    return CAUSES

"""Third-party plugins as `pip install` would leave them, on the path for one test."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.cli.app import main
from lerobot.core.registry import registry

SITE = Path(__file__).parent / "site"


@pytest.fixture
def third_party(monkeypatch: pytest.MonkeyPatch, lerobot_home: Path) -> Iterator[Path]:
    """The folder they are installed in."""
    monkeypatch.syspath_prepend(str(SITE))
    registry.refresh()
    yield SITE
    for module in [name for name in sys.modules if name.startswith(("lerobot_robot_", "lerobot_tele", "lerobot_cam"))]:
        del sys.modules[module]
    monkeypatch.undo()
    registry.refresh()


@pytest.fixture
def config(third_party: Path) -> Callable[..., Any]:
    """Makes the configuration of a plugin: `config("robot", "toaster", port="x")`."""

    def make(kind: str, name: str, **fields: Any) -> Any:
        return registry.config_class(kind, name)(**fields)

    return make


@pytest.fixture
def lerobot(third_party: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command: exit code, output, errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["lerobot", *arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return code, captured.out, captured.err

    return run

"""The exported policy of `tiny_export`, loaded, and the fake robots that are built."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.fake import robot as fake_robot
from lerobot.core.protocols.acting import Place
from lerobot.runtime.config import ExportedPolicyConfig
from lerobot.runtime.policy import ExportedPolicy

sys.path.insert(0, str(Path(__file__).parent))
from tiny_export import description, place, write


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    return write(tmp_path / "exported", description())


@pytest.fixture
def load_policy() -> Callable[..., ExportedPolicy]:
    def load(folder: Path, at: Place | None = None, **fields: Any) -> ExportedPolicy:
        return ExportedPolicy(ExportedPolicyConfig(folder=folder, threads=1, **fields), at or place())

    return load


@pytest.fixture
def robots(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """Every fake robot that is built."""
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))
    built: list[Any] = []
    original = fake_robot.FakeRobot.__init__

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        built.append(self)

    monkeypatch.setattr(fake_robot.FakeRobot, "__init__", init)
    return built

"""The model is the public one, or nothing."""

import importlib.metadata
import shutil
from pathlib import Path

import pytest

from lerobot.core.errors import LeRobotError
from lerobot.xarm import model_files
from lerobot.xarm.config import XArmConfig


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_files.scene_file().parent, tmp_path / "assets"))


def test_the_installed_files_are_the_published_ones(copy: Path) -> None:
    model_files.check_files(copy)


def test_a_changed_file_is_refused(copy: Path) -> None:
    (copy / "xarm.xml").write_text((copy / "xarm.xml").read_text().replace('mass="0.42603"', 'mass="0.42604"'))
    with pytest.raises(LeRobotError, match=r"xarm\.xml is not the published one"):
        model_files.check_files(copy)


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / "mesh/link5.stl").unlink()
    with pytest.raises(LeRobotError, match=r"lacks .*link5\.stl"):
        model_files.check_files(copy)


def test_without_the_distribution_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(model_files.importlib.metadata, "distribution", missing)
    with pytest.raises(LeRobotError, match="is not installed") as caught:
        XArmConfig(obs_type="state").build()
    assert "uv pip install --no-deps gym-xarm==0.1.1" in caught.value.hint

"""Old names of modules work, and say where everything went."""

import importlib
import sys
from pathlib import Path

import pytest


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package whose modules `old` and `room.old` moved, and whose `gone` went to a package that is not there."""
    folder = tmp_path / "moving"
    (folder / "room").mkdir(parents=True)
    (folder / "room" / "__init__.py").touch()
    (folder / "new.py").write_text("thing = 1\n")
    (folder / "__init__.py").write_text(
        "from lerobot.core.deprecation import keep_moved_modules\n"
        "keep_moved_modules(__name__, {'old': 'moving.new', 'old.inner': 'moving.new', 'gone': 'nobody_has_this'})\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "moving"
    for name in [name for name in sys.modules if name.partition(".")[0] == "moving"]:
        del sys.modules[name]


@pytest.mark.parametrize("name", ["old", "old.inner"])
def test_an_old_name_works_with_a_notice_that_names_the_new_one(package: str, name: str) -> None:
    importlib.import_module(package)
    assert "moving.new" not in sys.modules
    module = importlib.import_module(f"{package}.{name}")
    assert "moving.new" not in sys.modules
    with pytest.warns(FutureWarning, match=rf"^moving.{name} is now moving.new: import thing from there$"):
        assert module.thing == 1


def test_a_name_that_is_not_there_is_an_ordinary_error(package: str) -> None:
    importlib.import_module(package)
    with pytest.warns(FutureWarning), pytest.raises(ImportError, match="cannot import name"):
        exec("from moving.old import nothing")
    with pytest.warns(FutureWarning), pytest.raises(ModuleNotFoundError, match="nobody_has_this"):
        exec("from moving.gone import thing")


def test_tools_that_look_at_every_module_notice_nothing(package: str) -> None:
    importlib.import_module(package)
    assert not hasattr(sys.modules["moving.old"], "__file__")

"""Optional dependencies: found, missing, or broken inside."""

import json
from pathlib import Path

import pytest

from lerobot.core.errors import LeRobotError
from lerobot.core.extras import require


def test_what_is_installed_is_imported() -> None:
    assert require("json.decoder", extra="x", needed_by="this") is json.decoder


@pytest.mark.parametrize("module", ["absent_package", "absent_package.part"])
def test_what_is_missing_is_named_with_the_command_that_installs_it(module: str) -> None:
    with pytest.raises(LeRobotError, match="this needs 'absent_package'") as raised:
        require(module, extra="cameras", needed_by="this")
    assert (
        raised.value.hint
        == "Install it, in a checkout of this project: uv pip install './packages/lerobot-core[cameras]'"
    )


def test_a_missing_dependency_of_the_dependency_keeps_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half_installed.py").write_text("import its_own_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="its_own_dependency"):
        require("half_installed", extra="x", needed_by="this")

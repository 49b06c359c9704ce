"""What `pip install lerobot-quickstart` gives a user: from the wheels to a page about a policy, on every Python here.

`nox -s pythons` names the interpreters in LEROBOT_PYTHONS; `nox -s wheels` tries the one it runs on.
"""

import os
import sys
from pathlib import Path

import pytest
from clean_environment import done, install

pytestmark = [pytest.mark.wheels, pytest.mark.timeout(1200)]

PYTHONS = os.environ.get("LEROBOT_PYTHONS", sys.executable).split(os.pathsep)


@pytest.mark.parametrize("python", PYTHONS)
def test_one_command_ends_with_a_page(python: str, tmp_path: Path) -> None:
    environment = install(tmp_path / "venv", "lerobot-quickstart", python=python, compiled=False)
    home = {"HF_LEROBOT_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    lerobot = environment / "bin" / "lerobot"
    assert "all is well" in done(lerobot, "doctor", env=home)
    shown = done(lerobot, "quickstart", "--short=true", "--episodes=2", "--eval_episodes=2", cwd=tmp_path, env=home)
    for command in ("record", "verify-dataset", "train", "eval"):
        assert f"lerobot {command}" in shown
    assert (tmp_path / "outputs" / "quickstart" / "report.html").is_file()

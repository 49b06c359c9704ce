"""What cannot be is one line."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from lerobot.aloha.config import AlohaConfig


def test_a_display_that_does_not_open_is_one_line(tmp_path: Path) -> None:
    """EGL is installed, and no driver answers; as dm_control says it when it is imported."""
    (tmp_path / "dm_control.py").write_text("raise ImportError('Cannot initialize a headless EGL display.')\n")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from lerobot.core.errors import LeRobotError\n"
        "from lerobot.aloha.config import AlohaConfig\n"
        "try: AlohaConfig().build()\n"
        "except LeRobotError as error: print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "Cannot initialize a headless EGL display." in said
    assert "sudo apt-get install libegl1 libgl1" in said


@pytest.mark.parametrize("fps", [0, 30, 60, 1000])
def test_a_step_is_whole_physics_steps(fps: int) -> None:
    with pytest.raises(ValidationError, match=r"divisor of 500|greater than 0"):
        AlohaConfig(fps=fps)

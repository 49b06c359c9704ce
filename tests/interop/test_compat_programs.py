"""The programs that `tests/compat` runs are written for huggingface/lerobot: it has every name they import."""

import json
import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.peer

HERE = Path(__file__).parent


def test_every_name_of_the_programs_is_there() -> None:
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if python is None:
        pytest.skip("LEROBOT_PEER_PYTHON is not set")
    programs = HERE.parent / "compat" / "programs"
    assert len(list(programs.glob("*.py"))) >= 9
    asked = [python, str(HERE / "peer_imports.py"), str(programs)]
    said = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=300).stdout
    assert json.loads(said.splitlines()[-1]) == []

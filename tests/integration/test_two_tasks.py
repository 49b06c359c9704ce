"""Policies that read learn two tasks which only words tell apart; told the wrong words, they go to the wrong place."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks/two_tasks.py"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]


@pytest.mark.parametrize("policy", ["smolvla", "multi_task_dit"])
def test_words_decide(policy: str, tmp_path: Path) -> None:
    """Every success with the right words is above every one with the wrong words, intervals and all."""
    flags = ["--policy", policy, "--eval-episodes", "25", "--out", str(tmp_path)]
    ended = subprocess.run([sys.executable, SCRIPT, *flags], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr

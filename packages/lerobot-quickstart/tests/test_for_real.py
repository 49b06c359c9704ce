"""The quickstart as a user starts it, on the real virtual arm."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot.quickstart.results import episodes_recorded, score, steps_trained

START = "from lerobot_cli import main; main()"


def start(folder: Path, *flags: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", START, "quickstart", f"--output_dir={folder}", *flags],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )


def stopped_when(process: "subprocess.Popen[str]", reached: Callable[[], bool]) -> str:
    """Ctrl-C as soon as something is reached; what was said."""
    while not reached():
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "lerobot quickstart --output_dir=" in said
    return said


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_is_stopped_while_recording_and_while_training_and_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "quickstart"
    flags = ("--episodes=12", "--steps=300", "--eval_episodes=3")
    parts = (folder / "data-1", folder / "data-2")
    stopped_when(start(folder, *flags), lambda: min(map(episodes_recorded, parts)) >= 1)
    before = [episodes_recorded(part) for part in parts]
    assert 2 <= sum(before) < 12

    said = stopped_when(start(folder, *flags), lambda: steps_trained(folder / "train") >= 50)
    for recorded in before:
        assert recorded == 6 or f"--dataset.num_episodes={6 - recorded}" in said
    assert episodes_recorded(folder / "data") == 12

    process = start(folder, *flags)
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, said
    assert said.count("done before") == 4, "the recordings, the merge and its check"
    assert "--resume=true" in said
    assert steps_trained(folder / "train") == 300
    assert score(folder / "eval").episodes == score(folder / "eval-untrained").episodes == 3
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "of 3 episodes" in page
    assert not re.search(r'(src|href)="(?!data:)', page), "it needs no other file"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_policy_learns_the_task_and_an_untrained_one_cannot_do_it(tmp_path: Path) -> None:
    """The acceptance: at least 90 % of 50 episodes from starts that were not demonstrated, less than 10 % untrained."""
    folder = tmp_path / "quickstart"
    process = start(folder)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    trained, untrained = score(folder / "eval"), score(folder / "eval-untrained")
    assert trained.episodes == untrained.episodes == 50
    assert trained.percent >= 90, said
    assert untrained.percent < 10, said
    policy = json.loads((folder / "train/checkpoints/last/pretrained_model/config.json").read_text())
    assert set(policy["input_features"]) == {
        "observation.state",
        "observation.images.front",
        "observation.images.wrist",
    }, "what a real arm has, and nothing of where the goal is"

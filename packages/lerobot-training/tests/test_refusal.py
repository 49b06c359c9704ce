"""What cannot begin or go on is refused from the configuration alone, before torch is imported."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = """
import json, sys
from lerobot.core.cli.run import run_command
from lerobot.core.errors import LeRobotError
answers = []
for words in json.loads(sys.argv[1]):
    try:
        run_command("train", words)
    except LeRobotError as error:
        answers.append(str(error))
print(json.dumps([answers, "torch" in sys.modules]))
"""


def refusals(*runs: list[str]) -> list[str]:
    """What each run is refused with, by one process that has imported nothing before."""
    command = [sys.executable, "-c", PROGRAM, json.dumps(runs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    answers, has_torch = json.loads(done.stdout.splitlines()[-1])
    assert not has_torch
    assert len(answers) == len(runs)
    return list(answers)


def test_before_torch_is_imported(dataset: Path, train: Callable[..., Path], tmp_path: Path) -> None:
    finished = train(tmp_path / "finished", "--steps=1")
    config = finished / "checkpoints/last/pretrained_model/train_config.json"
    # The tiny policy is known in this process only; which one it was does not matter here.
    policy = {"policy": {"type": "act", "device": "cpu", "push_to_hub": False}}
    config.write_text(json.dumps(json.loads(config.read_text()) | policy))
    new = ["--policy.type=act", "--policy.device=cpu", "--policy.push_to_hub=false"]
    own = [*new, "--dataset.repo_id=test/moves", f"--dataset.root={dataset}"]
    missing = [*new, "--dataset.repo_id=test/nowhere", f"--output_dir={tmp_path}/new"]
    mixed = [*own, f"--output_dir={tmp_path}/new", "--dataset.mix_with=[{repo_id: test/nowhere_either}]"]
    taken, nowhere, half, ended = refusals(
        [*own, f"--output_dir={finished}"], missing, mixed, [f"--config_path={config}", "--resume=true"]
    )
    assert f"{finished} exists already" in taken
    assert "test/nowhere" in nowhere
    assert "no dataset at" in nowhere
    assert "test/nowhere_either" in half
    assert "is at step 1, and the run ends at step 1" in ended
    assert "--steps=2" in ended
    assert not (tmp_path / "new").exists()


def test_only_the_first_of_several_processes_looks_for_the_folder(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have made the folder before a slower one looks."""
    from lerobot.core.config import load
    from lerobot.core.errors import LeRobotError
    from lerobot.training.commands.train import TrainPipelineConfig
    from lerobot.training.refusal import refuse

    (tmp_path / "file").touch()
    words = [
        "--policy.type=act",
        "--dataset.repo_id=test/moves",
        f"--dataset.root={dataset}",
        f"--output_dir={tmp_path}",
    ]
    config = load(TrainPipelineConfig, words, {}).config
    monkeypatch.setenv("RANK", "1")
    refuse(config)
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(LeRobotError, match="exists already"):
        refuse(config)

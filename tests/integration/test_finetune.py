"""`lerobot finetune` on the virtual arm: judged, taught, judged again, through the commands as people type them."""

import json
from pathlib import Path

import pytest

from lerobot.core.cli.app import main
from lerobot.datasets.lerobot_dataset import LeRobotDataset

ARM = ("--robot.type=sim_so101", "--robot.task=reach", "--robot.realtime=false")
RECORDED = (
    "--dataset.fps=10",
    "--dataset.episode_time_s=1",
    "--dataset.reset_time_s=0.2",
    "--dataset.num_episodes=1",
    "--dataset.single_task=Reach",
    "--dataset.no_stamp=true",
    "--play_sounds=false",
)
JUDGED = (
    "--detector.type=scene",
    "--fps=10",
    "--episode_time_s=0.5",
    "--safety.ramp_s=0.2",
    "--eval_episodes=2",
    "--steps=2",
    "--batch_size=4",
    "--num_workers=0",
)


@pytest.fixture
def policy(lerobot_home: Path, tmp_path: Path) -> Path:
    """A policy of states that has hardly learned anything."""
    del lerobot_home
    flags = ("--teleop.type=scripted", "--dataset.repo_id=me/old", *RECORDED)
    assert main(["lerobot", "record", *ARM, *flags]) == 0
    learned = ("--policy.type=bc_mlp", "--policy.device=cpu", "--policy.push_to_hub=false", "--steps=2")
    run = tmp_path / "old"
    batches = ("--batch_size=4", "--num_workers=0", f"--output_dir={run}")
    assert main(["lerobot", "train", "--dataset.repo_id=me/old", *learned, *batches]) == 0
    return run / "checkpoints/last/pretrained_model"


def test_it_plays_and_learns_on_the_arm(policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    flags = [f"--policy.path={policy}", *ARM, "--dataset.repo_id=me/old", "--new_episodes.repo_id=me/old", *JUDGED]
    online = ["--online_learning=true", "--episodes_per_round=2", f"--output_dir={out}"]
    assert main(["lerobot", "finetune", *flags, *online, "--dry_run=true"]) == 0
    assert "fits" in capsys.readouterr().out
    assert not out.exists()
    assert main(["lerobot", "finetune", *flags, *online]) == 0
    settings, *rounds = [json.loads(line) for line in (out / "rounds.jsonl").read_text().splitlines()]
    assert settings["robot"]["task"] == "reach"
    assert [each["episodes"] for each in rounds] == [2, 2]
    assert rounds[0]["policy"] == str(policy)
    assert (out / rounds[1]["policy"] / "model.safetensors").exists()
    played = LeRobotDataset("experience", out / "experience")
    assert played.num_episodes == 2
    assert {"intervention", "next.success", "observation.state", "action"} <= played.features.keys()
    assert main(["lerobot", "finetune", *flags, *online, "--resume=true"]) == 0, "there is nothing left to do"

"""What pages tell of trainings and evaluations is what stands on disk, damaged and unfinished ones included."""

import json
from pathlib import Path
from typing import Any

import pytest

from lerobot.studio.learn.outputs import evaluations, policies, trainings


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def checkpoint(run: Path, step: int, policy: str = "act") -> Path:
    folder = run / "checkpoints" / f"{step:06d}" / "pretrained_model"
    write(folder / "config.json", {"type": policy})
    settings = {"steps": 300, "policy": {"type": policy}, "dataset": {"repo_id": "me/cubes"}}
    write(folder / "train_config.json", settings)
    return folder


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    run = tmp_path / "outputs/train/2026-01-31/12-59-59_act"
    for step in (100, 200, 300):
        checkpoint(run, step)
    (run / "checkpoints/last").symlink_to("000300")
    (run / "checkpoints/best").symlink_to("000200")
    write(run / "metrics.csv", "step,loss,lr,pc_success\n100,0.5,1e-05,\n200,0.25,nan,40.0\n")
    for episode in (0, 2, 10):
        write(run / f"eval/videos_step_000200/sim_0/eval_episode_{episode}.mp4", "film")
    return tmp_path / "outputs"


def test_a_training_tells_its_checkpoints_curves_and_films(outputs: Path) -> None:
    (training,) = trainings([outputs])
    assert (training.policy, training.dataset, training.steps) == ("act", "me/cubes", 300)
    assert [(each.name, each.marks) for each in training.checkpoints] == [
        ("000300", ("last",)),
        ("000200", ("best",)),
        ("000100", ()),
    ]
    assert training.resumption == training.folder / "checkpoints/000300/pretrained_model/train_config.json"
    assert training.curves() == {
        "step": [100.0, 200.0],
        "loss": [0.5, 0.25],
        "lr": [1e-05, None],
        "pc_success": [None, 40.0],
    }
    assert [film.title for film in training.films()] == [
        f"step 000200, sim 0, episode {number}" for number in (0, 2, 10)
    ]


def test_a_training_that_began_just_now_is_listed(tmp_path: Path) -> None:
    write(tmp_path / "here/metrics.csv", "step,loss\n")
    (training,) = trainings([tmp_path])
    assert (training.checkpoints, training.resumption, training.films()) == ([], None, [])
    assert training.curves() == {}


def journal(folder: Path, episodes: int, path: str = "outputs/train/act") -> None:
    settings = {"policy": {"type": "act"}, "env": {"type": "sim", "task": "reach"}, "pretrained_path": path}
    entries = [{"task_group": "sim", "task_id": 0, "index": index, "video": None} for index in range(episodes)]
    write(folder / "episodes.jsonl", "".join(f"{json.dumps(line)}\n" for line in [settings, *entries]))


def report(folder: Path, successes: list[bool]) -> None:
    overall = {"pc_success": 75.0, "pc_success_interval_95": [30.06, 95.44], "n": 4, "n_success": 3}
    write(folder / "eval_info.json", {"overall": overall, "per_task": [{"metrics": {"successes": successes}}]})


def test_an_evaluation_tells_its_rate_and_which_film_shows_a_success(tmp_path: Path) -> None:
    folder = tmp_path / "eval/reach"
    journal(folder, 4)
    report(folder, [True, False, True, True])
    for episode in (0, 1):
        write(folder / f"videos/sim_0/eval_episode_{episode}.mp4", "film")
    (found,) = evaluations([tmp_path])
    assert (found.policy, found.place, found.kept) == ("outputs/train/act", "sim reach", 4)
    assert found.overall["pc_success_interval_95"] == [30.06, 95.44]
    assert [(film.title, film.success) for film in found.films()] == [
        ("sim 0, episode 0", True),
        ("sim 0, episode 1", False),
    ]


def test_an_interrupted_evaluation_tells_what_it_kept(tmp_path: Path) -> None:
    journal(tmp_path / "reach", 3)
    with (tmp_path / "reach/episodes.jsonl").open("a") as file:
        file.write(json.dumps({"task_group": "sim", "task_id": 0, "index": 1, "taken_back": True}) + "\n")
        file.write('{"task_group": "sim", "task_')
    (found,) = evaluations([tmp_path])
    assert (found.kept, found.overall) == (2, {})


def test_policies_that_were_compared_stay_together_and_seeds_are_no_evaluations(tmp_path: Path) -> None:
    folder = tmp_path / "compared"
    write(folder / "success.md", "| policy |")
    for label in ("a", "b"):
        report(folder / label, [True, False, True, True])
        for seed in (0, 1):
            journal(folder / label / f"seed_{seed}", 2, path=f"policies/{label}")
    found = evaluations([tmp_path])
    assert [(each.policy, each.compared) for each in found] == [("policies/a", folder), ("policies/b", folder)]


def test_damaged_files_hide_nothing_else(outputs: Path) -> None:
    broken = outputs / "train/broken"
    write(checkpoint(broken, 5) / "train_config.json", "{")
    write(broken / "metrics.csv", "step,loss\nx,y\n")
    write(outputs / "eval/broken/eval_info.json", "[1, 2")
    write(outputs / "eval/broken/episodes.jsonl", "null\n3\n")
    assert {(each.folder.name, each.policy) for each in trainings([outputs])} == {
        ("broken", ""),
        ("12-59-59_act", "act"),
    }
    assert [each.overall for each in evaluations([outputs])] == [{}]


def test_policies_are_checkpoints_and_what_the_hub_gave(
    outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    write(tmp_path / "hub/models--lerobot--act_cubes/snapshots/abc/config.json", {"type": "act"})
    write(tmp_path / "hub/models--google--paligemma/snapshots/abc/config.json", {"model_type": "paligemma"})
    found = policies([outputs, outputs / "train"])
    assert [Path(path).parent.name for path, _ in found[:-1]] == ["000300", "000200", "000100"]
    assert found[0][1] == "act on me/cubes, step 000300"
    assert found[-1] == ("lerobot/act_cubes", "act, from the Hub")

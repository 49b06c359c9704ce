"""`lerobot finetune`: what is better is kept, what is worse is dropped, and nothing is lost."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from experience import CloningConfig
from pydantic import ValidationError
from slope import STATS, HelperConfig, SlopeConfig, SlopePolicyConfig

from lerobot.core.errors import LeRobotError
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.policies.assembly import PolicyWithProcessors, make_pre_post_processors
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.rl.commands.finetune import FinetuneConfig
from lerobot.rl.finetune import command, judgement
from lerobot.rl.finetune.command import finetune
from lerobot.rl.finetune.rounds import Rounds
from lerobot.rl.replay.recording import read_episodes

Saved = Callable[[float], Path]
NUMBER = {"dtype": "float32", "shape": (1,), "names": None}


@pytest.fixture
def saved(tmp_path: Path) -> Saved:
    """Saves a policy that pushes always alike, and hardly wavers."""

    def save(push: float) -> Path:
        config = SlopePolicyConfig(
            input_features={"observation.state": PolicyFeature(type=FeatureType.STATE, shape=(1,))},
            output_features={"action": PolicyFeature(type=FeatureType.ACTION, shape=(1,))},
            device="cpu",
        )
        policy = config.build()
        with torch.no_grad():
            policy.net.weight.zero_()
            policy.net.bias.fill_(push)
        stats = {**STATS, "action": {"min": [-1.0], "max": [1.0]}}
        PolicyWithProcessors(policy, make_pre_post_processors(config, stats)).save_pretrained(tmp_path / "policy")
        return tmp_path / "policy"

    return save


@pytest.fixture
def shown(tmp_path: Path) -> Callable[[float], Path]:
    """Records two episodes in which somebody pushes always alike."""

    def record(push: float) -> Path:
        root = tmp_path / f"pushes_{push:g}"
        made = LeRobotDataset.create("test/pushes", 10, {"observation.state": NUMBER, "action": NUMBER}, root)
        for _ in range(2):
            for step in range(10):
                # A little of it differs, for what never varies is scaled by nothing.
                row = {"observation.state": np.float32([0.1 * step]), "action": np.float32([push + 0.01 * (step % 2)])}
                made.add_frame({**row, "task": "Go up."})
            made.save_episode()
        made.finalize()
        return root

    return record


def config(policy: Path, out: Path | None, **fields: Any) -> FinetuneConfig:
    return FinetuneConfig.model_validate(
        {
            "policy": SlopePolicyConfig(
                pretrained_path=str(policy),
                device="cpu",
                input_features={"observation.state": PolicyFeature(type=FeatureType.STATE, shape=(1,))},
                output_features={"action": PolicyFeature(type=FeatureType.ACTION, shape=(1,))},
            ),
            "env": SlopeConfig(),
            "output_dir": out,
            "eval_episodes": 5,
            "episodes_per_round": 4,
            "steps": 60,
            "batch_size": 8,
            "num_workers": 0,
            "optimizer": {"type": "adam", "lr": 0.05},
            "safety": {"ramp_s": 0.0},
            **fields,
        }
    )


def rounds(out: Path) -> list[dict[str, Any]]:
    lines = (out / "rounds.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines[1:]]


def successes(out: Path) -> list[tuple[int, bool]]:
    return [(each["successes"], each["kept"]) for each in rounds(out)]


def given(root: Path) -> dict[str, Any]:
    return {"repo_id": "test/pushes", "root": str(root)}


# --- better, or not --------------------------------------------------------------------------------------------------


def test_what_is_better_is_kept(
    saved: Saved, shown: Callable[[float], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "out"
    with caplog.at_level(logging.INFO):
        assert finetune(config(saved(-0.5), out, new_episodes=given(shown(0.9)))) == 0
    assert successes(out) == [(0, True), (5, True)]
    best = (out / "best").resolve()
    assert best == (out / rounds(out)[1]["policy"]).resolve()
    assert (best / "model.safetensors").exists()
    assert "before: success in 0 of 5 (0 to 43 %)" in caplog.text
    assert "after:  success in 5 of 5 (57 to 100 %)" in caplog.text


def test_a_harmful_update_is_rolled_back(
    saved: Saved, shown: Callable[[float], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody shows how to go down. Every round begins from the policy that goes up, and is dropped."""
    out, policy = tmp_path / "out", saved(0.5)
    with caplog.at_level(logging.INFO):
        assert finetune(config(policy, out, new_episodes=given(shown(-0.9)), rounds=2)) == 0
    assert successes(out) == [(5, True), (0, False), (0, False)]
    assert not (out / "best").exists()
    assert f"the policy stays {policy}" in caplog.text
    started = json.loads((out / "rounds/002/training/checkpoints/last/pretrained_model/config.json").read_text())
    assert started["pretrained_path"] == str(policy)


def test_the_next_round_begins_from_the_best(
    saved: Saved, shown: Callable[[float], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three rounds are judged 1, 3 and 2 of 5: the fourth begins from the second."""
    out, told = tmp_path / "out", iter((1, 3, 2, 0))
    monkeypatch.setattr(command, "judged", lambda *_: (next(told), 5))
    assert finetune(config(saved(0.0), out, new_episodes=given(shown(0.9)), rounds=3, steps=2)) == 0
    assert successes(out) == [(1, True), (3, True), (2, False), (0, False)]
    started = json.loads((out / "rounds/003/training/checkpoints/last/pretrained_model/config.json").read_text())
    assert Path(started["pretrained_path"]) == out / rounds(out)[1]["policy"]
    assert (out / "best").resolve() == (out / rounds(out)[1]["policy"]).resolve()


# --- from what it does -----------------------------------------------------------------------------------------------


def test_it_learns_from_what_succeeded_with_help(saved: Saved, shown: Callable[[float], Path], tmp_path: Path) -> None:
    """The policy alone stays where it is; pushed in every third step by a person, it reaches the top in time."""
    out = tmp_path / "out"
    fields = {"online_learning": True, "teleop": HelperConfig(), "rounds": 2, "dataset": given(shown(0.2))}
    assert finetune(config(saved(0.1), out, online_ratio=0.9, **fields)) == 0
    kept = list(read_episodes(LeRobotDataset("experience", out / "experience")))
    assert len(kept) == 8
    rows = [row for episode in kept for row in episode.transitions]
    assert 0.2 < sum(row.intervention for row in rows) / len(rows) < 0.5
    assert all(row.action[0] == 1 for row in rows if row.intervention)
    before, *after = successes(out)
    assert before[0] < max(number for number, _ in after)
    learned = json.loads((out / "rounds/001/training/checkpoints/last/pretrained_model/train_config.json").read_text())
    weights = [learned["dataset"]["weight"], learned["dataset"]["mix_with"][0]["weight"]]
    assert weights == pytest.approx([0.1, 0.9])
    succeeded = [number for number, episode in enumerate(kept[:4]) if episode.success]
    assert learned["dataset"]["mix_with"][0]["episodes"] == succeeded


def test_where_nothing_succeeds_nothing_is_imitated(saved: Saved, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert finetune(config(saved(-0.5), out, online_learning=True)) == 0
    assert successes(out) == [(0, True), (0, True)]
    assert not (out / "rounds/001/training").exists()


def test_a_policy_that_learns_from_reward_learns_by_its_algorithm(saved: Saved, tmp_path: Path) -> None:
    """It learns from what failed as well; a second round goes on with what its critic knows."""
    out = tmp_path / "out"
    fields = {"online_learning": True, "teleop": HelperConfig(), "algorithm": CloningConfig(steps=2)}
    assert finetune(config(saved(0.0), out, rounds=2, eval_episodes=2, steps=8, **fields)) == 0
    for number in (1, 2):
        checkpoint = out / f"rounds/{number:03d}/training/checkpoints/last"
        assert (checkpoint / "algorithm/model.safetensors").exists()
        assert (checkpoint / "training_state/critic").is_dir()
    assert len(rounds(out)) == 3


# --- nothing is lost -------------------------------------------------------------------------------------------------


class Cut(BaseException):
    """The power goes."""


@pytest.mark.parametrize("moment", [pytest.param(each, marks=[pytest.mark.slow][: each != 2]) for each in range(4)])
def test_a_power_cut_loses_nothing(moment: int, saved: Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut while it is judged, plays, learns, or is about to be told: the run ends as one that was not cut."""
    fields = {"online_learning": True, "teleop": HelperConfig(), "rounds": 2, "eval_episodes": 3, "steps": 4}
    policy = saved(0.1)
    with monkeypatch.context() as cut:
        _cut_at(moment, cut)
        with pytest.raises(Cut):
            finetune(config(policy, tmp_path / "cut", **fields))
    assert finetune(config(policy, tmp_path / "cut", resume=True, **fields)) == 0
    assert finetune(config(policy, tmp_path / "whole", **fields)) == 0
    assert len(rounds(tmp_path / "cut")) == 3
    ids = LeRobotDataset("experience", tmp_path / "cut/experience")
    assert ids.num_episodes == LeRobotDataset("experience", tmp_path / "whole/experience").num_episodes == 8
    if moment in (0, 3):
        assert [{**each, "policy": ""} for each in rounds(tmp_path / "cut")] == [
            {**each, "policy": ""} for each in rounds(tmp_path / "whole")
        ]


def _cut_at(moment: int, cut: pytest.MonkeyPatch) -> None:
    calls = {"count": 0}

    def after(times: int, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            calls["count"] += 1
            if calls["count"] > times:
                raise Cut
            return function(*args, **kwargs)

        return called

    if moment == 0:
        from lerobot.envs.journal import EpisodeJournal

        cut.setattr(EpisodeJournal, "add", after(2, EpisodeJournal.add))
    elif moment == 1:
        from lerobot.rl.play.player import Player

        cut.setattr(Player, "play", after(3, Player.play))
    elif moment == 2:
        from lerobot.training.learner.supervised import SupervisedLearner

        cut.setattr(SupervisedLearner, "step", after(6, SupervisedLearner.step))
    else:
        cut.setattr(Rounds, "judge", after(1, Rounds.judge))


def test_another_run_in_the_same_folder_is_refused(
    saved: Saved, shown: Callable[[float], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, policy, new = tmp_path / "out", saved(0.0), given(shown(0.9))
    monkeypatch.setattr(command, "judged", lambda *_: (1, 5))
    assert finetune(config(policy, out, new_episodes=new, steps=2)) == 0
    with pytest.raises(LeRobotError, match="exists already"):
        finetune(config(policy, out, new_episodes=new, steps=2))
    with pytest.raises(LeRobotError, match="was made with steps 2, and now it is 3"):
        finetune(config(policy, out, new_episodes=new, steps=3, resume=True))
    assert finetune(config(policy, out, new_episodes=new, steps=2, rounds=2, resume=True)) == 0
    assert len(rounds(out)) == 3


# --- before anything moves -------------------------------------------------------------------------------------------


def test_a_dry_run_moves_and_writes_nothing(
    saved: Saved, shown: Callable[[float], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moved(*_: Any) -> None:
        raise AssertionError("something moved")

    monkeypatch.setattr(judgement, "eval_command", moved)
    policy, new, before = saved(0.0), shown(0.9), sorted(tmp_path.rglob("*"))
    assert finetune(config(policy, tmp_path / "out", new_episodes=given(new), dry_run=True)) == 0
    assert sorted(tmp_path.rglob("*")) == before


def test_something_to_learn_from_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="what it learns from"):
        config(tmp_path, tmp_path / "out")
    with pytest.raises(ValidationError, match="--output_dir=FOLDER beside --resume=true"):
        config(tmp_path, None, online_learning=True, resume=True)

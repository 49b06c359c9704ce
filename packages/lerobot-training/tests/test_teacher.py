"""What a student learns of a teacher: its actions, where it has any, and nothing of its random numbers."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lerobot.core.config import load
from lerobot.core.errors import CheckpointError, FeatureMismatchError, LeRobotError
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.player import TrainedPlayer
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.training.config import TeacherConfig
from lerobot.training.refusal import refuse
from lerobot.training.teacher import Teacher, load_teacher

Train, Written = Callable[..., Path], Callable[..., Path]
POLICY = "checkpoints/last/pretrained_model"
FEATURES = {
    "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(3,)),
    "action": PolicyFeature(type=FeatureType.ACTION, shape=(2,)),
}


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory, written: Written) -> Path:
    """Demonstrations that do nothing like the teacher: they go the other way."""
    return written(tmp_path_factory.mktemp("noisy") / "data", "state", scale=-2.0)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("teacher") / "run"


@pytest.fixture
def taught(train: Train, place: Path) -> Path:
    """A teacher that knows what the demonstrations do, with two steps in its chunk; made once."""
    if not place.exists():
        train(place, "--policy.horizon=2", "--policy.noise=0", "--steps=60")
    return place / POLICY


def student(**changes: Any) -> Any:
    from tiny_policy import TinyConfig

    outputs = {"action": FEATURES["action"]}
    inputs = {"observation.state": FEATURES["observation.state"]}
    return TinyConfig(input_features=inputs, output_features=outputs, device="cpu", **changes)


def teacher(path: Path, weight: float = 1.0, learner: Any = None) -> Teacher:
    config = TeacherConfig(path=str(path), weight=weight)
    return load_teacher(config, learner or student(), FEATURES, seed=0)


def batch(rows: int = 5) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(1)
    return {
        "observation.state": torch.randn(rows, 3, generator=generator),
        "action": torch.randn(rows, 4, 2, generator=generator),
        "action_is_pad": torch.zeros(rows, 4, dtype=torch.bool),
        "task": ["task"] * rows,
    }


def test_actions_are_mixed_in_the_units_of_the_robot(taught: Path) -> None:
    """As the teacher plays them, frame by frame; behind its chunk the dataset's stay."""
    given = batch()
    player = TrainedPlayer(PolicyWithProcessors.from_pretrained(taught))
    states = [{"observation.state": state.numpy(), "task": "task"} for state in given["observation.state"]]
    played = torch.from_numpy(np.stack([player.predict_chunk([state]) for state in states]))
    found = teacher(taught, 0.25)(given, 3)
    assert found["action"][:, :2] == pytest.approx(0.75 * given["action"][:, :2] + 0.25 * played, abs=1e-5)
    assert torch.equal(found["action"][:, 2:], given["action"][:, 2:])
    assert torch.equal(found["observation.state"], given["observation.state"])
    whole = teacher(taught)(given, 3)
    assert whole["action"][:, :2] == pytest.approx(played, abs=1e-5)
    assert (whole["action"][:, :2] - given["action"][:, :2]).abs().mean() > 0.1


def test_a_policy_of_single_actions_learns_the_first(taught: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = batch()
    expected = teacher(taught)(given, 0)["action"][:, 0]
    monkeypatch.setattr(type(student()), "action_delta_indices", None)
    assert torch.equal(teacher(taught)({**given, "action": given["action"][:, 0]}, 0)["action"], expected)


def test_it_looks_at_the_present_frame_of_a_window(taught: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = batch()
    expected = teacher(taught)(given, 0)["action"]
    monkeypatch.setattr(type(student()), "observation_delta_indices", [-1, 0, 1])
    window = torch.stack([torch.full((5, 3), torch.nan), given["observation.state"], torch.zeros(5, 3)], dim=1)
    assert torch.equal(teacher(taught)({**given, "observation.state": window}, 0)["action"], expected)
    monkeypatch.setattr(type(student()), "observation_delta_indices", [1, 2])
    with pytest.raises(LeRobotError, match="looks back to frame 0, and policy 'tiny' learns from 1 to 2"):
        teacher(taught)


def test_its_own_processors_rename(train: Train, written: Written, tmp_path: Path) -> None:
    data = written(tmp_path / "data", "joints")
    flags = (f"--dataset.root={data}", "--steps=1", "--rename_map={observation.joints: observation.state}")
    renaming = load_teacher(
        TeacherConfig(path=str(train(tmp_path / "run", *flags) / POLICY)),
        student(),
        {"observation.joints": FEATURES["observation.state"], "action": FEATURES["action"]},
        seed=0,
    )
    given = batch()
    given["observation.joints"] = given.pop("observation.state")
    assert not torch.equal(renaming(given, 0)["action"], given["action"])


def test_its_random_numbers_are_its_own(taught: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tiny_policy import TinyPolicy

    def draw(_: TinyPolicy, seen: Any) -> torch.Tensor:
        return torch.randn(len(seen["observation.state"]), 2, 2)

    monkeypatch.setattr(TinyPolicy, "predict_action_chunk", draw)
    drawing, before = teacher(taught), torch.get_rng_state()
    first, again, later = (drawing(batch(), step)["action"] for step in (4, 4, 5))
    assert torch.equal(first, again)
    assert not torch.equal(first, later)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_student_does_as_the_teacher_and_not_as_the_data(
    train: Train, taught: Path, noisy: Path, tmp_path: Path
) -> None:
    flags = (f"--dataset.root={noisy}", "--policy.noise=0", "--steps=120", "--policy.horizon=2")
    seen = {"observation.state": torch.randn(200, 3, generator=torch.Generator().manual_seed(2))}

    def acted(folder: Path) -> torch.Tensor:
        each = PolicyWithProcessors.from_pretrained(folder)
        chunk = each.policy.predict_action_chunk(each.processors.preprocessor(seen))
        return torch.as_tensor(each.processors.postprocessor(chunk[:, 0])).detach()

    alone = train(tmp_path / "alone", *flags) / POLICY
    with_teacher = train(tmp_path / "with", *flags, f"--teacher.path={taught}") / POLICY
    far, near = ((acted(folder) - acted(taught)).abs().mean() for folder in (alone, with_teacher))
    assert near < far / 5
    saved = json.loads((with_teacher / "train_config.json").read_text())
    assert saved["teacher"] == {"path": str(taught)}
    assert "teacher" not in json.loads((alone / "train_config.json").read_text())


def test_a_run_that_goes_on_is_taught_the_same(
    train: Train,
    resume: Callable[..., None],
    states: Callable[[Path], dict[str, bytes]],
    taught: Path,
    tmp_path: Path,
) -> None:
    flags = ("--steps=6", "--save_freq=3", f"--teacher.path={taught}", "--teacher.weight=0.5")
    plain = train(tmp_path / "plain", "--steps=6", "--save_freq=3")
    whole = train(tmp_path / "whole", *flags, "--dataset.state_noise=0.1")
    expected = states(whole / "checkpoints/000006")
    resume(whole / "checkpoints/000003")
    assert states(whole / "checkpoints/000006") == expected
    assert states(plain / "checkpoints/000006") != expected


def test_what_cannot_teach_is_refused_by_name(taught: Path, monkeypatch: pytest.MonkeyPatch, dataset: Path) -> None:
    other = student().model_copy(update={"output_features": {"action": FEATURES["observation.state"]}})
    with pytest.raises(FeatureMismatchError, match=r"teacher 'tiny' acts by action \(2,\)"):
        teacher(taught, learner=other)
    with pytest.raises(FeatureMismatchError, match=r"looks at observation.state \(3,\), which the dataset does not"):
        load_teacher(TeacherConfig(path=str(taught)), student(), {"action": FEATURES["action"]}, seed=0)
    monkeypatch.setattr(type(student()), "reward_delta_indices", [0])
    with pytest.raises(LeRobotError, match="'tiny' learns from rewards"):
        teacher(taught)
    monkeypatch.undo()
    flags = ["--dataset.repo_id=test/moves", f"--dataset.root={dataset}", "--policy.type=act"]
    with pytest.raises(CheckpointError, match="nowhere_at_all does not exist"):
        refuse(load(TrainPipelineConfig, [*flags, "--teacher.path=nowhere_at_all"]).config)


def test_a_teacher_that_remembers_is_refused(taught: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(taught, tmp_path / "copied")
    file = copied / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"n_obs_steps": 3}))
    with pytest.raises(LeRobotError, match="policy 'tiny' remembers what it saw"):
        teacher(copied)

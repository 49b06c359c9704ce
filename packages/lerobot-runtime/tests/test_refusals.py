"""What is not a whole export, and what is not the robot it was made for, is refused in one clear line."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_export import CAMERAS, NAMES, STATE, TOP, description, place, write

from lerobot.core.config import load
from lerobot.core.errors import CheckpointError, ConfigError, FeatureMismatchError, LeRobotError
from lerobot.core.types import FeatureSpec
from lerobot.policies.commands.check import CheckConfig
from lerobot.policies.preflight.command import check
from lerobot.remote.commands.serve import ServeConfig
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.runtime.policy import ExportedPolicy
from lerobot.training.commands.train import TrainPipelineConfig

Load = Callable[..., ExportedPolicy]


def change(folder: Path, **changes: Any) -> Path:
    """Change what is said beside the file, and not in it."""
    file = folder / "policy.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return folder


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "policy.json").write_text("{"), "policy.json cannot be read"),
        (lambda folder: (folder / "policy.json").write_text("[]"), "policy.json is damaged"),
        (lambda folder: (folder / "policy.json").write_bytes(b"\xff\xfe\x00"), "policy.json cannot be read"),
        (lambda folder: (folder / "policy.json").unlink(), "has no policy.json"),
        (lambda folder: (folder / "policy.onnx").unlink(), "policy.onnx does not exist: the folder has no ONNX file"),
        (lambda folder: (folder / "policy.onnx").rename(folder / "policy.int8.onnx"), "folder has policy.int8.onnx"),
        (lambda folder: (folder / "policy.onnx").write_bytes(b"no model"), "policy.onnx cannot be loaded"),
        (
            lambda folder: (folder / "policy.onnx").write_bytes((folder / "policy.onnx").read_bytes()[:-400]),
            "policy.onnx cannot be loaded|does not say what it is|no JSON",
        ),
        (lambda folder: change(folder, format_version=9), "format_version is 9\n.*a version that this release reads"),
        (lambda folder: change(folder, n_action_steps="all"), "n_action_steps is 'all'"),
        (lambda folder: change(folder, outputs=[]), "policy.json is damaged: outputs"),
        (lambda folder: change(folder, fps=25.0), "are of two exports: fps is 50.0 in one and 25.0 in the other"),
        (
            lambda folder: change(folder, outputs=[{**description()["outputs"][0], "names": NAMES[::-1]}]),
            "robot fake is not what the policy was exported for: action is in the order",
        ),
        (
            lambda folder: change(folder, files={"policy.onnx": {"sha256": "0" * 64}}),
            "is not the file that was exported: its SHA-256 is",
        ),
    ],
)  # fmt: skip
def test_a_damaged_export_is_refused(exported: Path, load_policy: Load, damage: Any, message: str) -> None:
    damage(exported)
    with pytest.raises((CheckpointError, FeatureMismatchError), match=message):
        load_policy(exported)


def test_a_file_whose_hash_is_right_is_taken(tmp_path: Path, load_policy: Load) -> None:
    folder = write(tmp_path / "hashed", description())
    found = hashlib.sha256((folder / "policy.onnx").read_bytes()).hexdigest()
    assert load_policy(change(folder, files={"policy.onnx": {"sha256": found}})).name == "exported tiny"


def test_a_graph_that_is_not_as_it_says_is_refused(tmp_path: Path, load_policy: Load) -> None:
    """The metadata were changed in both places."""
    import onnx

    folder = write(tmp_path / "changed", description())
    lies = description()
    lies["inputs"][0]["dtype"] = "uint8"
    model = onnx.load(str(folder / "policy.onnx"))
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {"metadata": json.dumps(lies)})
    onnx.save(model, str(folder / "policy.onnx"))
    with pytest.raises(CheckpointError, match=r"takes and gives .*'observation.state': \('float32'"):
        load_policy(change(folder, **lies))


def test_version_one_is_read(tmp_path: Path, load_policy: Load) -> None:
    said = description(format_version=1)
    del said["task"]
    assert load_policy(write(tmp_path / "first", said)).observation_steps == 1


# --- the place -------------------------------------------------------------------------------------------------------


def features(**changes: Any) -> dict[str, Any]:
    return {**place().features, **changes}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"features": {key: value for key, value in place().features.items() if key != TOP}},
            r"observation\.images\.top is missing",
        ),
        (
            {"features": features(**{TOP: {**place().features[TOP], "shape": (480, 640, 3)}})},
            r"observation\.images\.top has the shape \(480, 640, 3\) instead of \(32, 40, 3\)",
        ),
        (
            {"features": features(action={**place().features["action"], "names": ["wrist.pos", *NAMES[1:]]})},
            rf"action is without {NAMES[0]} and with wrist\.pos",
        ),
        (
            {"features": features(**{STATE: {**place().features[STATE], "names": NAMES[::-1]}})},
            rf"observation\.state is in the order {', '.join(NAMES[::-1])} instead of",
        ),
        ({"specs": {NAMES[2]: FeatureSpec(unit="rad")}}, rf"{NAMES[2]} is in rad instead of deg"),
    ],
)
def test_another_robot_is_refused(exported: Path, load_policy: Load, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FeatureMismatchError, match=f"robot fake is not what the policy was exported for: .*{message}"):
        load_policy(exported, place(**changes))


def test_a_place_without_names_is_compared_by_shapes(exported: Path, load_policy: Load) -> None:
    nameless = {key: {**value, "names": None} for key, value in place().features.items()}
    load_policy(exported, place(features=nameless, specs={}))


def test_another_rate_is_said(exported: Path, load_policy: Load, caplog: pytest.LogCaptureFixture) -> None:
    load_policy(exported)
    assert not caplog.records
    load_policy(exported, place(fps=25.0))
    assert "exported for 50 actions per second, and acts 25 times: its motions take 2 times as long" in caplog.text


# --- flags -----------------------------------------------------------------------------------------------------------


def test_what_shall_compute_must_be_there(exported: Path, load_policy: Load) -> None:
    for name in ("CPUExecutionProvider", "cpu"):
        load_policy(exported, providers=(name,))
    with pytest.raises(LeRobotError, match=r"has no CUDAExecutionProvider\n.*CPUExecutionProvider"):
        load_policy(exported, providers=("CUDAExecutionProvider",))
    with pytest.raises(LeRobotError, match="onnxruntime-gpu"):
        load_policy(exported, providers=("cuda",))
    with pytest.raises(LeRobotError, match=r"Did you mean CPUExecutionProvider\?"):
        load_policy(exported, providers=("CPUExecutionProvidr",))


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--policy.file=../other/policy.onnx", "the name of an ONNX file of the folder"),
        ("--policy.threads=0", "expected a whole number >= 1"),
        ("--policy.device=cuda", "not a field of policy 'exported'"),
        ("--policy.temporal_ensemble_coeff=0.1 --policy.n_action_steps=2", "n_action_steps = 1"),
    ],
)
def test_flags_that_make_no_sense_are_refused(exported: Path, flag: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(RolloutConfig, [f"--policy.path={exported}", "--robot.type=fake", *flag.split()])


def test_a_checkpoint_is_still_found_by_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no config\.json"):
        load(RolloutConfig, [f"--policy.path={tmp_path}", "--robot.type=fake"])


def test_a_command_that_needs_a_checkpoint_says_so(exported: Path) -> None:
    told = r"is an exported policy(.|\n)*the one it was exported from: only rollout, eval and check take exports"
    with pytest.raises(ConfigError, match=told):
        load(TrainPipelineConfig, [f"--policy.path={exported}", "--dataset.repo_id=me/x"])
    serving = load(ServeConfig, [f"--policy.path={exported}"]).config
    assert serving.policy is not None
    with pytest.raises(CheckpointError, match=told):
        serving.policy.build()


def test_it_is_checked_against_a_robot_before_anything_runs(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = [f"--policy.path={exported}", "--robot.type=fake"]
    assert check(load(CheckConfig, [*flags, CAMERAS]).config) == 0
    assert capsys.readouterr().out == f"exported policy {exported} and robot fake: fits\n"
    assert check(load(CheckConfig, flags).config) == 1
    shown = capsys.readouterr().out
    assert "robot fake: 1 problem" in shown
    assert f"{TOP} is missing" in shown
    (exported / "policy.onnx").write_bytes(b"")
    assert check(load(CheckConfig, [*flags, CAMERAS]).config) == 1
    assert "policy.onnx" in capsys.readouterr().out

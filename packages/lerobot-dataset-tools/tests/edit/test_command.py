"""`lerobot edit-dataset`, `convert-dataset` and `verify-dataset`: known command lines, exit codes, no traceback."""

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from lerobot.core.cli.run import run_command
from lerobot.core.config import load
from lerobot.core.errors import LeRobotError
from lerobot.dataset_tools.commands.edit_dataset import EditDatasetConfig
from lerobot.datasets.format.info import load_info
from lerobot.datasets.lerobot_dataset import LeRobotDataset

DOCUMENTED = [
    '--repo_id lerobot/pusht --operation.type delete_episodes --operation.episode_indices "[0, 2, 5]"',
    """--repo_id lerobot/pusht --operation.type split --operation.splits '{"train": 0.6, "val": 0.2, "test": 0.2}'""",
    """--repo_id lerobot/pusht --operation.type split --operation.splits '{"task1": [0, 1, 2, 3], "task2": [4, 5]}'""",
    """--new_repo_id a/b --operation.type merge --operation.repo_ids "['lerobot/pusht_train', 'lerobot/pusht_val']" """,
    """--repo_id a/b --operation.type remove_feature --operation.feature_names "['observation.images.top']" """,
    """--repo_id lerobot/pusht --operation.type modify_tasks --operation.new_task "Default task"
       --operation.task_replacements '{"Pick up the red cube": "Lift the red cube"}'
       --operation.episode_tasks '{"5": "Special task for episode 5"}'""",
    "--repo_id lerobot/pusht_image --new_repo_id lerobot/pusht_video --operation.type convert_image_to_video",
    """--repo_id a/b --operation.type convert_image_to_video --operation.output_dir outputs/pusht_video
       --operation.rgb_encoder.vcodec libsvtav1 --operation.rgb_encoder.pix_fmt yuv420p --operation.rgb_encoder.g 2
       --operation.rgb_encoder.crf 30 --operation.depth_encoder.depth_min 0.01
       --operation.depth_encoder.use_log true""",
    """--repo_id lerobot/pusht --operation.type reencode_videos --operation.rgb_encoder.vcodec h264
       --operation.rgb_encoder.pix_fmt yuv420p --operation.rgb_encoder.crf 23""",
    "--repo_id lerobot/pusht_image --operation.type info --operation.show_features true",
    """--repo_id a/b --operation.type recompute_stats --operation.relative_action true --operation.chunk_size 50
       --operation.relative_exclude_joints "['gripper']" --push_to_hub true""",
    """--repo_id a/b --new_repo_id a/c --operation.type delete_episodes --operation.episode_indices "[0, 2, 5]"
       --push_to_hub true""",
]


@pytest.mark.parametrize("line", DOCUMENTED)
def test_documented_command_lines_are_understood(line):
    words = shlex.split(line)
    config = load(EditDatasetConfig, words, {}).config
    assert config.operation.type == words[words.index("--operation.type") + 1]


def edit(root, operation, *words):
    return run_command("edit-dataset", [f"--root={root}", f"--operation.type={operation}", *words])


def test_editing_in_place_and_back(dataset, capsys):
    edit(dataset, "delete_episodes", "--operation.episode_indices=[0, 5]")
    assert "4 episodes, 12 frames; the state before is in" in capsys.readouterr().out
    assert load_info(dataset).total_episodes == 4
    edit(dataset, "undo")
    assert load_info(dataset).total_episodes == 6


def test_every_operation_that_makes_new_datasets(dataset, tmp_path, capsys):
    edit(dataset, "split", "--operation.splits={a: [0, 1], b: [2]}")
    assert load_info(tmp_path / "set_a").total_episodes == 2
    roots = f"--operation.roots=[{tmp_path}/set_a, {tmp_path}/set_b]"
    edit(dataset, "merge", roots, f"--new_root={tmp_path}/merged")
    assert load_info(tmp_path / "merged").total_frames == 8
    edit(dataset, "recompute_stats")
    assert load_info(tmp_path / "set_recomputed_stats").total_episodes == 6
    edit(dataset, "reencode_videos", "--operation.rgb_encoder.crf=30")
    assert load_info(tmp_path / "set_reencoded").total_episodes == 6
    edit(dataset, "modify_tasks", "--operation.new_task=all")
    edit(dataset, "remove_feature", "--operation.feature_names=[action]")
    capsys.readouterr()
    edit(dataset, "info", "--operation.show_features=true")
    text = capsys.readouterr().out
    assert "0: all" in text
    assert "observation.state: float32 (3,), a, b, c" in text
    assert "action" not in text


def test_what_changes_columns_and_lengths(dataset, tmp_path, capsys):
    edit(dataset, "add_feature", "--operation.name=reward", "--operation.value=0.5")
    np.save(tmp_path / "new.npy", np.arange(42.0).reshape(21, 2))
    edit(
        dataset,
        "add_feature",
        "--operation.name=pair",
        "--operation.shape=[2]",
        f"--operation.values={tmp_path}/new.npy",
    )
    edit(dataset, "rename_feature", "--operation.names={pair: both, observation.images.left: observation.images.wrist}")
    edit(dataset, "trim", "--operation.start_s=0.0333", "--operation.episode_indices=[5]")
    edit(dataset, "delete_episodes", "--operation.where=last(both[1]) < 40")
    assert "1 episode, 5 frames" in capsys.readouterr().out
    frames = LeRobotDataset("me/set", dataset).read_arrays(range(5))
    assert [item["both"].tolist() for item in frames] == [[2 * n, 2 * n + 1] for n in range(16, 21)]
    assert {float(item["reward"]) for item in frames} == {0.5}
    assert frames[0].keys() >= {"observation.images.wrist"}


def test_train_val_and_test_at_once(dataset, tmp_path):
    run_command("edit-dataset", [f"--root={dataset}", "--split=[0.5, 0.17, 0.33]"])
    run_command("edit-dataset", [f"--root={dataset}", "--split={a: [0], b: [4]}"])
    sizes = {name: load_info(tmp_path / f"set_{name}").total_episodes for name in ("train", "val", "test", "a", "b")}
    assert sizes == {"train": 3, "val": 1, "test": 2, "a": 1, "b": 1}


def test_names_stand_for_folders_in_the_home(recorded, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    shutil.copytree(recorded, tmp_path / "me/set")
    names = ["--repo_id=me/set", "--new_repo_id=me/new", "--operation.type=delete_episodes"]
    run_command("edit-dataset", [*names, "--operation.episode_indices=[1]"])
    assert load_info(tmp_path / "me/new").total_episodes == 5
    merging = ["--operation.type=merge", "--operation.repo_ids=[me/set, me/new]", "--new_repo_id=me/both"]
    run_command("edit-dataset", merging)
    assert load_info(tmp_path / "me/both").total_episodes == 11


def test_results_are_uploaded_under_their_names(recorded, tmp_path, monkeypatch, capsys):
    sent = []
    monkeypatch.setattr("lerobot.datasets.hub.push.push", lambda root, name: sent.append((root, name)) or "there")
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))
    shutil.copytree(recorded, tmp_path / "home/me/set")
    splitting = ["--operation.type=split", "--operation.splits={a: [0], b: [1]}", "--push_to_hub=true"]
    run_command("edit-dataset", ["--repo_id=me/set", *splitting])
    elsewhere = [f"--new_root={tmp_path}/parts", "--repo_id=me/set"]
    run_command("edit-dataset", [*elsewhere, *splitting])
    deleting = ["--operation.type=delete_episodes", "--operation.episode_indices=[0]", "--push_to_hub=true"]
    run_command("edit-dataset", ["--repo_id=me/set", f"--new_root={tmp_path}/new", "--new_repo_id=me/new", *deleting])
    assert [name for _, name in sent] == ["me/set_a", "me/set_b", "me/set_a", "me/set_b", "me/new"]
    assert sent[-1][0] == tmp_path / "new"
    as_it_is = ["--operation.type=info", "--push_to_hub=true"]
    assert "uploaded to there" in capsys.readouterr().out
    run_command("edit-dataset", [f"--root={tmp_path}/home/me/set", "--repo_id=me/other", *as_it_is])
    assert sent[-1] == (tmp_path / "home/me/set", "me/other")
    with pytest.raises(LeRobotError, match="no name on the Hub"):
        run_command("edit-dataset", [f"--root={tmp_path}/home/me/set", *deleting])


@pytest.mark.parametrize(
    ("command", "words", "what"),
    [
        (
            "edit-dataset",
            ["--operation.type=delete_episodes", "--operation.episode_indices=[0]"],
            "no dataset was named",
        ),
        ("edit-dataset", ["--operation.type=info", "--root=/nowhere"], "does not exist"),
        ("edit-dataset", ["--operation.type=delete"], "delete"),
        (
            "edit-dataset",
            ["--root=ROOT", "--operation.type=delete_episodes", "--operation.episode_indices=[9]"],
            "episode 9",
        ),
        ("edit-dataset", ["--operation.type=merge", "--operation.repo_ids=[a/b, c/d]"], "no name"),
        ("edit-dataset", ["--root=ROOT", "--operation.type=undo"], "no backup"),
        ("edit-dataset", ["--root=ROOT"], "--operation.type: delete_episodes, .*; or --split"),
        ("edit-dataset", ["--root=ROOT", "--split=[1]", "--operation.type=undo"], "not both"),
        ("edit-dataset", ["--root=ROOT", "--split=[0.7, 0.1, 0.1, 0.1]"], "train, val, test"),
        ("edit-dataset", ["--root=ROOT", "--operation.type=delete_episodes", "--operation.where=length > 99"], "meets"),
        (
            "edit-dataset",
            ["--root=ROOT", "--operation.type=add_feature", "--operation.name=x", "--operation.values=/none.npy"],
            r"/none\.npy cannot be read",
        ),
        ("convert-dataset", ["--root=ROOT"], "already"),
        ("verify-dataset", ["--root=/nowhere"], "does not exist"),
    ],
)
def test_mistakes_are_errors_a_user_can_read(dataset, command, words, what):
    with pytest.raises(LeRobotError, match=what):
        run_command(command, [word.replace("ROOT", str(dataset)) for word in words])
    assert [path.name for path in dataset.parent.iterdir()] == ["set"]


def test_warnings_and_notes_end_with_zero_unless_strict(dataset, capsys):
    verify = [f"--root={dataset}", "--pictures=false"]
    (dataset / "meta/modality.json").write_text("{}")
    assert (run_command("verify-dataset", verify), run_command("verify-dataset", [*verify, "--strict"])) == (0, 0)
    assert f"{dataset}: 1 note\n" in capsys.readouterr().out
    document = json.loads((dataset / "meta/info.json").read_text()) | {"splits": {"train": "0:50"}}
    (dataset / "meta/info.json").write_text(json.dumps(document))
    assert (run_command("verify-dataset", verify), run_command("verify-dataset", [*verify, "--strict"])) == (0, 1)
    assert f"{dataset}: 1 warning, 1 note\n" in capsys.readouterr().out


def test_a_converted_dataset_that_is_healthy_has_no_finding(make_dataset, tmp_path, capsys):
    old = make_dataset(tmp_path / "old", [12, 13], version="v2.0")
    run_command("convert-dataset", [f"--root={old}", f"--new_root={tmp_path}/new"])
    assert run_command("verify-dataset", [f"--root={tmp_path}/new", "--strict"]) == 0
    assert "nothing found" in capsys.readouterr().out


def test_verifying_says_what_and_exits_with_one(dataset, capsys):
    assert run_command("verify-dataset", [f"--root={dataset}", "--pictures=false"]) == 0
    assert "nothing found" in capsys.readouterr().out
    for path in (dataset / "videos").rglob("*.mp4"):
        path.unlink()
    assert run_command("verify-dataset", [f"--root={dataset}"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["error", "video:"]] * 2


def test_configurations_are_light():
    """`--help` imports no pyarrow, video or number library."""
    import subprocess
    import sys

    code = (
        "import sys\n"
        "from lerobot.dataset_tools.commands import convert_dataset, edit_dataset, verify_dataset\n"
        "print(sorted({'numpy', 'pyarrow', 'av', 'torch', 'datasets', 'huggingface_hub'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_converting_an_old_dataset(tmp_path, capsys):
    data = Path(__file__).parents[4].parent / "shared/data/derived_from_v1_v21/xarm_lift_1ep"
    if not data.exists():
        pytest.skip("../shared/data is not here")
    run_command("convert-dataset", [f"--root={data}", f"--new_root={tmp_path}/new"])
    assert "1 episode, 25 frames" in capsys.readouterr().out

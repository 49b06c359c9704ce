"""Small vision-language-action models through ordinary commands: trained, gone on with, adapted, checked, acting."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from tiny_clip import TEXT, VISION
from tiny_clip import write_tiny_tokenizer as write_clip_tokenizer
from tiny_groot import tiny_sizes, write_tiny_assets
from tiny_groot_n17 import tiny_sizes as n17_sizes
from tiny_groot_n17 import write_tiny_assets as write_n17_assets
from tiny_pi import SPEAKS, tiny_networks, write_tiny_codec, write_tiny_tokenizer
from tiny_smolvlm import write_tiny_smolvlm
from tiny_xvla import tiny_network, write_tiny_bart_tokenizer

from lerobot.core.config import load
from lerobot.core.errors import CheckpointError, FeatureMismatchError, LeRobotError
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.envs.command import eval_command
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.policies.commands.check import CheckConfig
from lerobot.policies.commands.export import ExportConfig
from lerobot.policies.export.command import export_command
from lerobot.policies.preflight.command import check
from lerobot.rollout.command import rollout
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.training.command import train
from lerobot.training.commands.train import TrainPipelineConfig

TASKS = ("pick up the red cube", "open the drawer")
JOINTS = [f"joint_{index}.pos" for index in range(6)]


@pytest.fixture(
    scope="module",
    params=[
        *("smolvla", "groot_n15"),
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("pi0", "pi05", "pi0_fast", "xvla", "multi_task_dit", "groot")
        ),
    ],
)
def family(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, family: str) -> Path:
    """Files of a small model, two datasets of two tasks, and a policy trained on each."""
    folder = tmp_path_factory.mktemp(family)
    # Of the last one huggingface/lerobot asks that it is called so.
    write = {
        "smolvla": write_tiny_smolvlm,
        "xvla": write_tiny_bart_tokenizer,
        "multi_task_dit": write_clip_tokenizer,
        "groot_n15": write_tiny_assets,
        "groot": write_n17_assets,
    }
    write.get(family, write_tiny_tokenizer)(folder / "clip")
    for name, camera, size in (("arm", "images.top", 6), ("push", "image", 2)):
        write_dataset(folder / name, f"observation.{camera}", size)
        new = [*NEW[family], f"--policy.{NAMED[family]}={folder / 'clip'}", f"--output_dir={folder / 'trained' / name}"]
        if family == "pi0_fast":
            write_tiny_codec(folder / f"{name}-fast", 8, size)
            new.append(f"--policy.action_tokenizer_name={folder / f'{name}-fast'}")
        assert run(folder, name, *new, "--steps=4", "--save_freq=2") == 0
    return folder


def new(family: str, *, size: dict[str, Any]) -> list[str]:
    """Flags of a new policy of a family."""
    sizes = [f"--policy.{name}={json.dumps(value)}" for name, value in size.items()]
    length = "horizon" if family == "multi_task_dit" else "chunk_size"
    return [f"--policy.type={family}", f"--policy.{length}=8", "--policy.n_action_steps=4", *sizes]


# Names of files, and sizes.
NAMED = {
    "smolvla": "vlm_model_name",
    "xvla": "tokenizer_name",
    "multi_task_dit": "text_encoder_name",
    "groot_n15": "tokenizer_assets_repo",
    "groot": "vlm_assets",
    **dict.fromkeys(("pi0", "pi05", "pi0_fast"), "text_tokenizer_name"),
}
PI = {**tiny_networks(), "num_inference_steps": 2, "tokenizer_max_length": 120}
SPEAKS_HERE = {name: value for name, value in SPEAKS.items() if name != "n_action_steps"}
FAST = {"paligemma": PI["paligemma"], "image_resolution": PI["image_resolution"], "tokenizer_max_length": 120}
SCALED = {"normalization_mapping": {"VISUAL": "IDENTITY", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"}}
DIT = {"vision_size": VISION, "text_size": TEXT, "image_crop_shape": [32, 32], "tokenizer_max_length": 16}
DIT |= {"hidden_dim": 32, "num_layers": 2, "num_heads": 2, "timestep_embed_dim": 16, "num_train_timesteps": 4}
GROOT = {"network": tiny_sizes(), "max_state_dim": 10, "max_action_dim": 8, "load_base_weights": False}
NEW = {
    "groot_n15": new("groot_n15", size=GROOT),
    "groot": new("groot", size={**GROOT, "network": n17_sizes(horizon=8)}),
    "multi_task_dit": new("multi_task_dit", size=DIT),
    "smolvla": new("smolvla", size={"resize_imgs_with_padding": [32, 32], "num_steps": 2}),
    "pi0": new("pi0", size=PI),
    "pi05": new("pi05", size=PI),
    "pi0_fast": new("pi0_fast", size={**FAST, **SPEAKS_HERE}),
    "xvla": [*new("xvla", size={**tiny_network(), **SCALED}), "--policy.action_mode=auto"],
}
# Queries and values of each layer of the expert, and the projections around it; two matrices each. Pi0-FAST has none.
ADAPTED = {"smolvla": 2 * (2 * 4 + 5), "pi0": 2 * (2 * 2 + 5), "pi05": 2 * (2 * 2 + 2), "pi0_fast": 2 * 2 * 2}
# X-VLA has none either: attention and feed-forward blocks of two layers.
ADAPTED["xvla"] = 2 * 2 * 4
# Queries and values of four blocks, and of six.
ADAPTED["groot_n15"] = 2 * 2 * 4
ADAPTED["groot"] = 2 * 2 * 6
# Five matrices of each layer of the transformer, the projections around it, and that behind the task.
ADAPTED["multi_task_dit"] = 2 * (2 * 5 + 3)


def write_dataset(folder: Path, camera: str, size: int) -> None:
    vector = {"dtype": "float32", "shape": (size,), "names": JOINTS[:size]}
    image = {"dtype": "image", "shape": (32, 40, 3), "names": ["height", "width", "channels"]}
    features = {camera: image, "observation.state": vector, "action": vector}
    made = LeRobotDataset.create("test/two_tasks", 30, features, folder)
    random = np.random.default_rng(0)
    for task in TASKS:
        for _ in range(8):
            frame = {key: random.normal(size=size).astype(np.float32) for key in ("observation.state", "action")}
            made.add_frame({**frame, camera: random.integers(0, 255, (32, 40, 3)).astype(np.uint8), "task": task})
        made.save_episode()
    made.finalize()


def run(root: Path, data: str, *flags: str) -> int:
    dataset = [f"--dataset.root={root / data}", "--dataset.repo_id=test/two_tasks"]
    ordinary = ["--policy.device=cpu", "--policy.push_to_hub=false", "--num_workers=0", "--batch_size=4"]
    return train(load(TrainPipelineConfig, [*dataset, *ordinary, *flags]).config)


def model(run: Path) -> Path:
    return run / "checkpoints/last/pretrained_model"


def test_a_run_that_was_interrupted_ends_as_one_that_was_not(root: Path) -> None:
    whole = model(root / "trained/arm") / "model.safetensors"
    expected, settings = load_file(whole), root / "trained/arm/checkpoints/000002/pretrained_model/train_config.json"
    whole.unlink()
    assert train(load(TrainPipelineConfig, [f"--config_path={settings}", "--resume=true"]).config) == 0
    found = load_file(whole)
    assert found.keys() == expected.keys()
    assert all(each.numpy().tobytes() == expected[name].numpy().tobytes() for name, each in found.items())


def test_an_adapter_is_learned_saved_and_put_back(root: Path, family: str, tmp_path: Path) -> None:
    base = f"--policy.path={model(root / 'trained/arm')}"
    assert run(root, "arm", base, "--peft.r=4", f"--output_dir={tmp_path / 'adapted'}", "--steps=2") == 0
    adapted = model(tmp_path / "adapted")
    weights = load_file(adapted / "adapter_model.safetensors")
    assert len(weights) == ADAPTED[family]
    assert not (adapted / "model.safetensors").exists()
    flags = [f"--policy.path={adapted}", f"--dataset.root={root / 'arm'}", "--dataset.repo_id=test/two_tasks"]
    assert check(load(CheckConfig, flags).config) == 0


@pytest.mark.parametrize("inference", [[], ["--inference.type=rtc"]], ids=["plain", "real-time chunking"])
def test_it_drives_a_robot(root: Path, family: str, inference: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    camera = "--robot.cameras={top: {type: fake, width: 40, height: 32, fps: 30}}"
    flags = [f"--policy.path={model(root / 'trained/arm')}", "--robot.type=fake", camera, "--task=open the drawer"]
    flags += ["--duration=0.5", "--return_to_initial_position=false", *inference]
    if family in {"pi0_fast", "xvla", "groot_n15"} and inference:
        with pytest.raises(LeRobotError, match="continue"):
            rollout(load(RolloutConfig, flags).config)
        return
    assert rollout(load(RolloutConfig, flags).config) == 0
    assert "ended by duration" in capsys.readouterr().out


def play(policy: Path, output: Path) -> int:
    """Episodes that were played."""
    flags = [f"--policy.path={policy}", "--policy.device=cpu", "--env.type=pusht", "--env.episode_length=6"]
    flags += ["--env.observation_width=40", "--env.observation_height=32"]
    flags += ["--eval.n_episodes=2", "--eval.batch_size=2", f"--output_dir={output}"]
    eval_command(load(EvalPipelineConfig, flags).config)
    return int(json.loads((output / "eval_info.json").read_text())["overall"]["n_episodes"])


def test_it_plays_in_an_environment(root: Path, tmp_path: Path) -> None:
    assert play(model(root / "trained/push"), tmp_path / "played") == 2


@contextmanager
def without_tokenizers(root: Path) -> Iterator[None]:
    """Nothing of what a run named is there any more, but for the sizes of a vision-language model."""
    moved = [path.rename(root / f"{path.name}-away") for path in (root / "clip", *root.glob("*-fast"))]
    sizes = root / "clip-away/config.json"
    if sizes.exists():
        (root / "clip").mkdir()
        shutil.copy(sizes, root / "clip")
    try:
        yield
    finally:
        shutil.rmtree(root / "clip", ignore_errors=True)
        for path in moved:
            path.rename(root / path.name.removesuffix("-away"))


def test_a_checkpoint_that_was_moved_has_its_tokenizers_with_it(root: Path, tmp_path: Path) -> None:
    run_folder = shutil.copytree(root / "trained", tmp_path / "moved", symlinks=True)
    flags = [f"--policy.path={model(run_folder / 'arm')}"]
    camera = "--robot.cameras={top: {type: fake, width: 40, height: 32, fps: 30}}"
    robot = ["--robot.type=fake", camera, "--task=open the drawer", "--duration=0.3"]
    settings = run_folder / "arm/checkpoints/000002/pretrained_model/train_config.json"
    with without_tokenizers(root):
        assert rollout(load(RolloutConfig, [*flags, *robot, "--return_to_initial_position=false"]).config) == 0
        assert play(model(run_folder / "push"), tmp_path / "played") == 2
        dataset = [f"--dataset.root={root / 'arm'}", "--dataset.repo_id=test/two_tasks"]
        assert check(load(CheckConfig, [*flags, *dataset]).config) == 0
        assert train(load(TrainPipelineConfig, [f"--config_path={settings}", "--resume=true"]).config) == 0
        assert run(root, "arm", *flags, f"--output_dir={tmp_path / 'tuned'}", "--steps=1") == 0
    shutil.rmtree(run_folder)
    with without_tokenizers(root):
        assert check(load(CheckConfig, [f"--policy.path={model(tmp_path / 'tuned')}", *dataset]).config) == 0
        tuned = [f"--policy.path={model(tmp_path / 'tuned')}", *robot, "--return_to_initial_position=false"]
        assert rollout(load(RolloutConfig, tuned).config) == 0


def test_without_a_task_it_is_not_exported(root: Path, tmp_path: Path) -> None:
    flags = [f"--policy.path={model(root / 'trained/arm')}", f"--output_dir={tmp_path / 'exported'}"]
    with pytest.raises(LeRobotError, match=r"cannot be exported|a file knows no words"):
        export_command(load(ExportConfig, flags).config)


def statistics_of_others(folder: Path) -> None:
    """As lerobot/smolvla_base has them: under the names of the datasets it was made from."""
    for path in folder.glob("policy_*processor_step_*.safetensors"):
        save_file({f"so100.{name}": each for name, each in load_file(path).items()}, path)


def test_a_base_with_statistics_of_others_is_fine_tuned_and_does_nothing_else(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = tmp_path / "base"
    shutil.copytree(model(root / "trained/arm"), base)
    statistics_of_others(base)
    dataset = [f"--dataset.root={root / 'arm'}", "--dataset.repo_id=test/two_tasks"]
    assert check(load(CheckConfig, [f"--policy.path={base}", *dataset]).config) == 1
    assert "has no statistics observation." in capsys.readouterr().out
    camera = "--robot.cameras={top: {type: fake, width: 40, height: 32, fps: 30}}"
    with pytest.raises(CheckpointError, match=r"it has those of so100\.action"):
        rollout(load(RolloutConfig, [f"--policy.path={base}", "--robot.type=fake", camera]).config)
    assert run(root, "arm", f"--policy.path={base}", f"--output_dir={tmp_path / 'tuned'}", "--steps=2") == 0
    assert check(load(CheckConfig, [f"--policy.path={model(tmp_path / 'tuned')}", *dataset]).config) == 0


def test_a_robot_without_the_camera_is_refused_before_it_moves(root: Path, family: str) -> None:
    def fake(flags: list[str]) -> Any:
        return rollout(load(RolloutConfig, [*flags, "--robot.type=fake", "--duration=0.3"]).config)

    trained = f"--policy.path={model(root / 'trained/arm')}"
    with pytest.raises(FeatureMismatchError, match=r"observation\.images\.top is missing"):
        fake([trained])
    if family in {"multi_task_dit", "groot_n15", "groot"}:
        # No camera of them may be missing.
        return
    with pytest.raises(FeatureMismatchError, match=r"observation\.images\.top is missing"):
        fake([trained, "--policy.empty_cameras=1"])

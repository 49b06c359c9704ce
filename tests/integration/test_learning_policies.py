"""Policies with a history, on real recordings and through the command line: they go on exactly, fit and act."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from lerobot.core.config import load
from lerobot.core.errors import FeatureMismatchError
from lerobot.core.registry import registry
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.envs.command import eval_command
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.commands.check import CheckConfig
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.preflight.command import check
from lerobot.policies.processing.pipelines import make_processors
from lerobot.rollout.command import rollout
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.training.command import train
from lerobot.training.commands.train import TrainPipelineConfig

DATA = Path(__file__).parents[3] / "shared" / "data"

DIFFUSION = (
    "--policy.type=diffusion",
    "--policy.horizon=8",
    "--policy.n_action_steps=4",
    "--policy.down_dims=[16, 32]",
    "--policy.diffusion_step_embed_dim=16",
    "--policy.num_train_timesteps=10",
)
PICTURES = (
    "--policy.crop_shape=[84, 84]",
    "--policy.vision_backbone=resnet8",
    "--policy.pretrained_backbone_weights=null",
)
VQBET = (
    "--policy.type=vqbet",
    # Codes are learned until after the middle of the run, where it goes on from a checkpoint.
    "--policy.n_vqvae_training_steps=12",
    "--policy.gpt_n_layer=1",
    "--policy.gpt_hidden_dim=32",
    "--policy.gpt_n_head=2",
    "--policy.n_obs_steps=2",
)
TDMPC = (
    "--policy.type=tdmpc",
    "--policy.horizon=3",
    "--policy.mlp_dim=16",
    "--policy.latent_dim=8",
    "--policy.n_gaussian_samples=16",
    "--policy.n_elites=8",
)
QCFQL = ("--policy.type=qcfql", "--policy.chunk_size=3", "--policy.hidden_dims=[16, 16]")
BC_RNN = ("--policy.type=bc_rnn", "--policy.objective=awr", "--policy.head=gmm", "--policy.rnn_dim=16")
BCQ_TRANSFORMER = (
    "--policy.type=bc_transformer",
    "--policy.objective=bcq",
    "--policy.n_obs_steps=3",
    "--policy.width=16",
    "--policy.layers=1",
    "--policy.heads=2",
    "--policy.critic_hidden_dims=[16]",
)
KINDS = {
    "diffusion": (*DIFFUSION, *PICTURES),
    "diffusion from states": DIFFUSION,
    "vqbet": (*VQBET, *PICTURES),
    "tdmpc from states": TDMPC,
    "qcfql from states": QCFQL,
    "bc_rnn from states": BC_RNN,
    "bc_transformer from states": BCQ_TRANSFORMER,
}


def pictures(_: Path) -> Path:
    """One episode of PushT, video and all."""
    return DATA / "derived_from_v1_v30" / "pusht_1ep"


def states(folder: Path, *, rewarded: bool = True) -> Path:
    """Two episodes of PushT whose video is not here; what the environment says is taken to be the target.

    Args:
        folder: where to.
        rewarded: give a reward for being near the target.
    """
    vector = {"dtype": "float32", "shape": (2,), "names": None}
    names = ("observation.state", "observation.environment_state", "action")
    reward = {"next.reward": {"dtype": "float32", "shape": (1,), "names": None}} if rewarded else {}
    reward |= {"next.done": {"dtype": "bool", "shape": (1,), "names": None}} if rewarded else {}
    made = LeRobotDataset.create("test/states", 10, dict.fromkeys(names, vector) | reward, folder / "states")
    table = pq.read_table(next((DATA / "pusht_v30_novideo" / "data").rglob("*.parquet")))
    columns = {name: np.array(table[name].to_pylist(), np.float32) for name in ("observation.state", "action")}
    episodes = table["episode_index"].to_numpy()
    for episode in (0, 1):
        for row in np.flatnonzero(episodes == episode):
            state, action = columns["observation.state"][row], columns["action"][row]
            frame = dict(zip(names, (state, action, action), strict=True)) | {"task": "push"}
            near = {"next.reward": -np.abs(state - action).mean(keepdims=True)} if rewarded else {}
            near |= {"next.done": bool(row == np.flatnonzero(episodes == episode)[-1])} if rewarded else {}
            made.add_frame(frame | near)
        made.save_episode()
    made.finalize()
    return folder / "states"


def run_on(root: Path) -> list[str]:
    """Flags of a small run on a dataset."""
    return [
        f"--dataset.root={root}",
        "--dataset.repo_id=test/pusht",
        "--policy.device=cpu",
        "--policy.push_to_hub=false",
        "--num_workers=0",
        "--batch_size=4",
    ]


# Another of a kind that is tried in every run: the same policy without pictures, the same package's other form.
FURTHER = ("diffusion from states", "bc_rnn from states")


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow if kind in FURTHER else ()) for kind in KINDS]
)
def test_a_run_that_was_interrupted_ends_as_one_that_was_not(kind: str, tmp_path: Path) -> None:
    if not DATA.exists():
        pytest.skip(f"{DATA} is not here")
    root = (states if kind.endswith("from states") else pictures)(tmp_path)
    flags = [
        *run_on(root),
        "--save_freq=10",
        "--steps=20",
        *KINDS[kind],
    ]
    for run in ("whole", "parts"):
        assert train(load(TrainPipelineConfig, [*flags, f"--output_dir={tmp_path / run}"]).config) == 0
    settings = tmp_path / "parts/checkpoints/000010/pretrained_model/train_config.json"
    for path in (tmp_path / "parts/checkpoints/000020").rglob("*.safetensors"):
        path.unlink()
    assert train(load(TrainPipelineConfig, [f"--config_path={settings}", "--resume=true"]).config) == 0
    whole, parts = (tmp_path / run / "checkpoints/000020" for run in ("whole", "parts"))
    files = [path.relative_to(whole) for path in whole.rglob("*.safetensors")]
    assert {"model.safetensors", "optimizer_state.safetensors"} <= {path.name for path in files}
    assert [path for path in files if (whole / path).read_bytes() != (parts / path).read_bytes()] == []
    flags = [f"--policy.path={whole / 'pretrained_model'}", f"--dataset.root={root}", "--dataset.repo_id=test/pusht"]
    assert check(load(CheckConfig, flags).config) == 0


@pytest.mark.parametrize("kind", ["tdmpc", "bc_rnn", "bc_transformer"])
def test_who_learns_from_rewards_asks_for_them(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not DATA.exists():
        pytest.skip(f"{DATA} is not here")
    root = states(tmp_path, rewarded=False)
    asked = KINDS[f"{kind} from states"]
    config = load(TrainPipelineConfig, [*run_on(root), *asked, f"--output_dir={tmp_path / 'run'}"]).config
    with pytest.raises(FeatureMismatchError, match=r"dataset test/pusht has no 'next.reward'"):
        train(config)
    flags = [*asked, f"--dataset.root={root}", "--dataset.repo_id=test/pusht"]
    assert check(load(CheckConfig, flags).config) == 1
    assert "has no 'next.reward'" in capsys.readouterr().out


ACT = (
    "--policy.type=act",
    "--policy.dim_model=16",
    "--policy.n_heads=2",
    "--policy.dim_feedforward=16",
    "--policy.n_encoder_layers=1",
    "--policy.n_vae_encoder_layers=1",
    "--policy.chunk_size=4",
    "--policy.n_action_steps=4",
    "--policy.vision_backbone=resnet8",
    "--policy.pretrained_backbone_weights=null",
)


@pytest.mark.slow
@pytest.mark.parametrize("flags", [ACT, KINDS["diffusion"], (*VQBET, *PICTURES)], ids=["act", "diffusion", "vqbet"])
@pytest.mark.parametrize("size", [1, 2])
def test_an_arm_of_one_joint_trains(flags: tuple[str, ...], size: int, tmp_path: Path) -> None:
    """Codes are learned and used in the run of VQ-BeT; the loss is finite, or the run would end."""
    camera = {"dtype": "image", "shape": (96, 96, 3), "names": ["height", "width", "channels"]}
    number = {"dtype": "float32", "shape": (1,), "names": ["slide"]}
    features = {"observation.images.top": camera, "observation.state": number, "action": number}
    made = LeRobotDataset.create("test/pusht", 10, features, tmp_path / "data")
    rng = np.random.default_rng(0)
    for _ in range(30):
        place = rng.normal(size=1).astype(np.float32)
        picture = rng.integers(0, 255, (96, 96, 3)).astype(np.uint8)
        made.add_frame({"observation.images.top": picture, "observation.state": place, "action": place, "task": "push"})
    made.save_episode()
    made.finalize()
    asked = [*run_on(tmp_path / "data")[:-1], f"--batch_size={size}", f"--output_dir={tmp_path / 'run'}", "--steps=14"]
    assert train(load(TrainPipelineConfig, [*asked, "--log_freq=1", *flags]).config) == 0
    trained = PolicyWithProcessors.from_pretrained(tmp_path / "run/checkpoints/last/pretrained_model")
    seen = {"observation.images.top": torch.zeros(1, 3, 96, 96), "observation.state": torch.zeros(1, 1)}
    action = trained.policy.select_action(trained.processors.preprocessor(seen))
    assert trained.processors.postprocessor(action).shape == (1, 1)


@pytest.mark.parametrize("kind", ["diffusion", pytest.param("vqbet", marks=pytest.mark.slow)])
def test_channels_last_is_another_layout_of_the_same_run(kind: str, tmp_path: Path) -> None:
    """Rounded differently, and resumed in the same layout; files have one order of elements."""
    if not DATA.exists():
        pytest.skip(f"{DATA} is not here")
    flags = [
        *run_on(pictures(tmp_path)),
        "--log_freq=1",
        "--save_freq=14",
        "--steps=16",
        *KINDS[kind],
    ]
    losses, files = [], []
    for layout in ("false", "true"):
        run = tmp_path / layout
        config = load(TrainPipelineConfig, [*flags, f"--channels_last={layout}", f"--output_dir={run}"]).config
        assert train(config) == 0
        with (run / "metrics.csv").open(newline="") as file:
            losses.append([float(row["loss"]) for row in csv.DictReader(file)])
        files.append(run / "checkpoints/000016/pretrained_model/model.safetensors")
    assert np.allclose(*losses, rtol=1e-3)
    assert files[0].read_bytes() != files[1].read_bytes(), "the layout was not changed"
    settings, weights = files[1].parents[2] / "000014/pretrained_model/train_config.json", files[1].read_bytes()
    files[1].unlink()
    assert train(load(TrainPipelineConfig, [f"--config_path={settings}", "--resume=true"]).config) == 0
    assert files[1].read_bytes() == weights


def untrained(kind: str, folder: Path, sizes: tuple[int, int], camera: str, picture: tuple[int, int]) -> str:
    """Save a policy with random weights for a robot or environment; gives the flag that names it."""
    inputs = {
        camera: {"type": "VISUAL", "shape": (3, *picture)},
        "observation.state": {"type": "STATE", "shape": sizes[:1]},
    }
    cut = {"crop_shape": (30, 30)}
    small: dict[str, Any] = {
        "diffusion": {"down_dims": (8, 16), "horizon": 8, "n_action_steps": 4, "num_train_timesteps": 4, **cut},
        "vqbet": {"gpt_n_layer": 1, "gpt_hidden_dim": 16, "gpt_n_head": 2, "n_obs_steps": 2, **cut},
        "bc_rnn": {"rnn_dim": 8, "n_obs_steps": 3, "head": "gmm"},
    }[kind]
    config: PreTrainedConfig = registry.config_class("policy", kind)(
        input_features=inputs,
        output_features={"action": {"type": "ACTION", "shape": sizes[1:]}},
        device="cpu",
        vision_backbone="resnet8",
        pretrained_backbone_weights=None,
        **small,
    )
    stats = {key: {"mean": [0.5], "std": [0.2], "min": [0.0], "max": [5.0]} for key in (*inputs, "action")}
    pair = PolicyWithProcessors(config.build(), make_processors(config, stats))
    pair.save_pretrained(folder / "untrained")
    return f"--policy.path={folder / 'untrained'}"


@pytest.mark.parametrize(
    "kind", ["diffusion", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("vqbet", "bc_rnn"))]
)
def test_they_drive_a_robot(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = untrained(kind, tmp_path, (6, 6), "observation.images.top", (32, 40))
    camera = "--robot.cameras={top: {type: fake, width: 40, height: 32, fps: 30}}"
    flags = [policy, "--robot.type=fake", camera, "--duration=0.3", "--return_to_initial_position=false"]
    assert rollout(load(RolloutConfig, flags).config) == 0
    assert "ended by duration" in capsys.readouterr().out


@pytest.mark.parametrize(
    "kind", ["diffusion", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("vqbet", "bc_rnn"))]
)
def test_they_play_in_an_environment(kind: str, tmp_path: Path) -> None:
    policy = untrained(kind, tmp_path, (2, 2), "observation.image", (96, 96))
    environment = ["--env.type=pusht", "--env.episode_length=6", "--eval.n_episodes=2", "--eval.batch_size=2"]
    flags = [policy, *environment, "--policy.device=cpu", f"--output_dir={tmp_path / 'played'}"]
    eval_command(load(EvalPipelineConfig, flags).config)
    assert json.loads((tmp_path / "played/eval_info.json").read_text())["overall"]["n_episodes"] == 2

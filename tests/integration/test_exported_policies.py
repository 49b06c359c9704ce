"""An exported policy acts like the policy: over whole episodes, in simulation, and where torch is not installed."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from clean_environment import done, install, run
from numpy.typing import NDArray
from tiny_smolvlm import tiny_settings, write_tiny_smolvlm

from lerobot.act.config import ACTConfig
from lerobot.core.config import load
from lerobot.core.protocols import ActingPolicy, Place
from lerobot.diffusion.config import DiffusionConfig
from lerobot.envs.command import eval_command
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.openvino.config import OpenVinoConfig
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.export.files import export, export_files
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.formats import (
    ExportFormatConfig,
    OnnxConfig,
    OnnxInt8Config,
    TorchExportConfig,
    TorchInt8Config,
    TorchScriptConfig,
)
from lerobot.policies.player import TrainedPlayer
from lerobot.policies.processing.pipelines import make_processors
from lerobot.runtime.config import ExportedPolicyConfig
from lerobot.runtime.policy import ExportedPolicy
from lerobot.smolvla.config import SmolVLAConfig
from lerobot.tensorrt.config import TensorRtConfig
from lerobot.vqbet.config import VQBeTConfig

STATE, FRONT = "observation.state", "observation.images.front"
SIZE, JOINTS = 64, 6
INPUTS = {
    STATE: PolicyFeature(type=FeatureType.STATE, shape=(JOINTS,)),
    FRONT: PolicyFeature(type=FeatureType.VISUAL, shape=(3, SIZE, SIZE)),
}
OUTPUTS = {"action": PolicyFeature(type=FeatureType.ACTION, shape=(JOINTS,))}
PLACE = Place(
    "the table",
    {
        STATE: {"dtype": "float32", "shape": (JOINTS,), "names": None},
        FRONT: {"dtype": "video", "shape": (SIZE, SIZE, 3), "names": ["height", "width", "channels"]},
        "action": {"dtype": "float32", "shape": (JOINTS,), "names": None},
    },
)
ACT = ACTConfig(
    input_features=INPUTS, output_features=OUTPUTS, vision_backbone="resnet8", pretrained_backbone_weights=None,
    dim_model=32, n_heads=4, dim_feedforward=64, chunk_size=5, n_action_steps=3, device="cpu",
)  # fmt: skip
DIFFUSION = DiffusionConfig(
    input_features=INPUTS, output_features=OUTPUTS, vision_backbone="resnet18", pretrained_backbone_weights=None,
    crop_shape=None, down_dims=(16, 32), horizon=8, n_action_steps=4, n_obs_steps=2, num_inference_steps=3,
    spatial_softmax_num_keypoints=8, diffusion_step_embed_dim=16, device="cpu",
)  # fmt: skip


VQBET = VQBeTConfig(
    input_features=INPUTS, output_features=OUTPUTS, vision_backbone="resnet8", pretrained_backbone_weights=None,
    crop_shape=None, n_obs_steps=2, n_action_pred_token=2, action_chunk_size=3, gpt_n_layer=1, gpt_n_head=2,
    gpt_input_dim=16, gpt_output_dim=16, gpt_hidden_dim=16, vqvae_n_embed=4, vqvae_embedding_dim=8,
    vqvae_enc_hidden_dim=8, device="cpu",
)  # fmt: skip
EXACT = [
    OnnxConfig(), TorchExportConfig(), TorchScriptConfig(), OpenVinoConfig(), TensorRtConfig(output="onnx")
]  # fmt: skip
ROUNDED = [OnnxInt8Config(), TorchInt8Config()]


def smolvla(folder: Path) -> PreTrainedConfig:
    write_tiny_smolvlm(folder)
    return SmolVLAConfig(**tiny_settings(folder, input_features=INPUTS, output_features=OUTPUTS))


POLICIES = {
    "act": ACT,
    "diffusion": DIFFUSION.model_copy(update={"vision_backbone": "resnet8", "num_inference_steps": 2}),
    "vqbet": VQBET,
    "smolvla": smolvla,
}


def saved(config: PreTrainedConfig, folder: Path) -> PolicyWithProcessors:
    """A policy with random weights, all of them, saved."""
    torch.manual_seed(0)
    stats: dict[str, Any] = {
        key: {
            "mean": torch.zeros(size), "std": torch.full((size,), scale), "min": torch.full((size,), -scale),
            "max": torch.full((size,), scale),
        }
        for key, size, scale in ((STATE, JOINTS, 60.0), ("action", JOINTS, 20.0))
    }  # fmt: skip
    middle = torch.full((3, 1, 1), 0.5)
    stats[FRONT] = {"mean": middle, "std": middle / 2, "min": middle * 0, "max": middle * 2}
    trained = PolicyWithProcessors(config.build(), make_processors(config, stats))
    trained.save_pretrained(folder)
    return trained


@pytest.fixture(scope="module")
def act(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `checkpoint` and `export` of an ACT."""
    folder = tmp_path_factory.mktemp("act")
    export(saved(ACT, folder / "checkpoint"), folder / "export", formats=["onnx"], fps=30)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("form", [*EXACT, *ROUNDED], ids=lambda form: form.file_name)
@pytest.mark.parametrize("name", POLICIES)
def test_every_kind_of_file_acts_like_the_policy(name: str, form: ExportFormatConfig, tmp_path: Path) -> None:
    """Exactly in float32; in 8 bits these random weights say no more than that the file computes and its error is said.

    How much success rounding costs a trained policy stands in docs/how-to/export-a-policy.md.
    """
    choice = POLICIES[name]
    trained = saved(choice if isinstance(choice, PreTrainedConfig) else choice(tmp_path / "vlm"), tmp_path / "policy")
    task = "pick up the cube" if name == "smolvla" else None
    options: dict[str, Any] = {"formats": [form], "task": task, "max_error": 1e6}
    ((path, report),) = export_files(trained, tmp_path / "export", **options).items()
    assert path.name == form.file_name
    if form in EXACT:
        assert report.difference.relative <= 1e-4
    else:
        assert 0 < report.difference.relative < np.inf


def episode(policy: ActingPolicy, ticks: int = 25) -> NDArray[np.float32]:
    random = np.random.default_rng(1)
    policy.reset()
    return np.stack(
        [
            policy.select_action(
                {
                    STATE: random.normal(scale=60, size=JOINTS).astype(np.float32),
                    FRONT: random.integers(0, 256, (SIZE, SIZE, 3), np.uint8),
                    "task": "",
                }
            )
            for _ in range(ticks)
        ]
    )


def exported(folder: Path, **fields: Any) -> ExportedPolicy:
    return ExportedPolicy(ExportedPolicyConfig(folder=folder, threads=1, **fields), PLACE)


@pytest.mark.parametrize(
    "fields", [{}, {"n_action_steps": 1, "temporal_ensemble_coeff": 0.05}], ids=["queue", "ensembling"]
)
def test_it_acts_like_the_policy_over_an_episode(act: Path, fields: dict[str, Any]) -> None:
    config = ACT.model_copy(update=fields)
    trained = PolicyWithProcessors.from_pretrained(act / "checkpoint", config=config)
    expected, found = episode(TrainedPlayer(trained)), episode(exported(act / "export", **fields))
    assert np.ptp(expected, axis=0).min() > 0.01
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


class AsTorchDraws:
    """Stands in for numpy's random numbers."""

    def __init__(self, policy: Any) -> None:
        self._policy = policy

    def standard_normal(self, shape: tuple[int, ...], dtype: Any) -> NDArray[np.float32]:
        drawn: NDArray[np.float32] = self._policy.draw_noise(1).numpy()
        assert (drawn.shape, drawn.dtype) == (shape, dtype)
        return drawn


@pytest.mark.slow
def test_it_acts_like_a_policy_that_looks_back_and_starts_from_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = saved(DIFFUSION, tmp_path / "checkpoint")
    export(trained, tmp_path / "export", formats=["onnx"], fps=30)
    policy = exported(tmp_path / "export")
    assert policy.observation_steps == 2
    monkeypatch.setattr(policy, "_random", AsTorchDraws(trained.policy))
    torch.manual_seed(7)
    expected = episode(TrainedPlayer(trained))
    torch.manual_seed(7)
    np.testing.assert_allclose(episode(policy), expected, rtol=0, atol=1e-3)


@pytest.mark.slow
def test_it_is_scored_as_the_policy_is(act: Path, tmp_path: Path) -> None:
    def rewards(policy: Path, name: str) -> list[float]:
        flags = [
            f"--policy.path={policy}", "--env.type=sim", "--env.cameras=[front]", f"--env.width={SIZE}",
            f"--env.height={SIZE}", "--env.episode_length=12", "--eval.n_episodes=3", "--eval.batch_size=2",
            "--eval.n_videos=0", "--seed=5", f"--output_dir={tmp_path / name}",
        ]  # fmt: skip
        assert eval_command(load(EvalPipelineConfig, flags).config) == 0
        report = json.loads((tmp_path / name / "eval_info.json").read_text(encoding="utf-8"))
        return list(report["per_task"][0]["metrics"]["sum_rewards"])

    expected = rewards(act / "checkpoint", "policy")
    assert len(set(expected)) == 3
    assert rewards(act / "export", "file") == pytest.approx(expected, abs=1e-3)


@pytest.mark.wheels
@pytest.mark.timeout(900)
def test_a_small_computer_runs_it_without_torch(tmp_path: Path) -> None:
    """The packages of the page "Deploy to a small computer", from their wheels."""
    root = Path(__file__).resolve().parents[2]
    specification = importlib.util.spec_from_file_location(
        "tiny_export", root / "packages" / "lerobot-runtime" / "tests" / "tiny_export.py"
    )
    assert specification is not None
    assert specification.loader is not None
    tiny = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(tiny)
    folder = tiny.write(tmp_path / "export", tiny.description())
    packages = ("lerobot-so100", "lerobot-opencv", "lerobot-rollout", "lerobot-runtime")
    environment = install(tmp_path / "venv", *packages)
    python, lerobot = environment / "bin" / "python", environment / "bin" / "lerobot"
    assert "No module named 'torch'" in run(python, "-c", "import torch").stderr
    home = {"HF_LEROBOT_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    fixed = (f"--policy.path={folder}", "--robot.type=fake", tiny.CAMERAS, "--fps=50")
    shown = done(lerobot, "rollout", *fixed, "--duration=1", env=home)
    assert "policy: " in shown
    recorded = (
        "--strategy.type=episodic", "--inference.type=async", "--dataset.repo_id=me/rollout_small", "--dataset.fps=50",
        f"--dataset.root={tmp_path / 'recorded'}", "--dataset.single_task=pick", "--dataset.num_episodes=1",
        "--dataset.episode_time_s=1", "--dataset.reset_time_s=0", "--play_sounds=false",
    )  # fmt: skip
    done(lerobot, "rollout", *fixed, *recorded, env=home)
    assert json.loads((tmp_path / "recorded" / "meta" / "info.json").read_text())["total_episodes"] == 1
    refused = run(lerobot, "rollout", "--policy.path=owner/checkpoint", "--robot.type=fake", env=home)
    assert refused.returncode == 2
    assert "lerobot-policies" in refused.stderr
    (packages_folder,) = environment.glob("lib/python*/site-packages")
    files = (file for file in packages_folder.rglob("*") if file.is_file() and not file.is_symlink())
    sys.stdout.write(f"installed: {sum(file.stat().st_size for file in files) / 1e6:.0f} MB\n")

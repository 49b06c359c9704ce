"""Which settings are accepted, that they are those of published checkpoints, and where sizes come from."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file
from tiny_groot import nvidia_config, tiny_settings, tiny_sizes, write_tiny_assets

from lerobot.core.errors import CheckpointError, ConfigError, FeatureMismatchError
from lerobot.groot.config import EarlierGrootConfig, GrootN15Config
from lerobot.groot.modeling import GrootN15
from lerobot.groot.sizes import PUBLISHED, GrootN15Size
from lerobot.policies.checkpoint.files import Checkpoint

PUBLISHED_SETTINGS = {
    "type": "groot",
    "n_obs_steps": 1,
    "input_features": {
        "observation.images.front": {"type": "VISUAL", "shape": [3, 480, 640]},
        "observation.state": {"type": "STATE", "shape": [6]},
    },
    "output_features": {"action": {"type": "ACTION", "shape": [6]}},
    "device": "cpu",
    "use_amp": False,
    "use_peft": False,
    "push_to_hub": True,
    "repo_id": None,
    "private": None,
    "tags": None,
    "license": None,
    "pretrained_path": None,
    "chunk_size": 50,
    "n_action_steps": 50,
    "max_state_dim": 64,
    "max_action_dim": 32,
    "normalization_mapping": {"VISUAL": "IDENTITY", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"},
    "image_size": [224, 224],
    "base_model_path": "nvidia/GR00T-N1.5-3B",
    "tokenizer_assets_repo": "lerobot/eagle2hg-processor-groot-n1p5",
    "embodiment_tag": "new_embodiment",
    "tune_llm": False,
    "tune_visual": False,
    "tune_projector": True,
    "tune_diffusion_model": True,
    "lora_rank": 0,
    "lora_alpha": 16,
    "lora_dropout": 0.1,
    "lora_full_model": False,
    "optimizer_lr": 0.0001,
    "optimizer_betas": [0.95, 0.999],
    "optimizer_eps": 1e-08,
    "optimizer_weight_decay": 1e-05,
    "warmup_ratio": 0.05,
    "use_bf16": True,
    "video_backend": "decord",
    "balance_dataset_weights": True,
    "balance_trajectory_weights": True,
    "dataset_paths": None,
    "output_dir": "./tmp/gr00t",
    "save_steps": 1000,
    "max_steps": 10000,
    "batch_size": 32,
    "dataloader_num_workers": 8,
    "report_to": "wandb",
    "resume": False,
}
"""What the peer's release 0.4.4 writes for a new policy, in its order."""


def written(folder: Path, fields: dict[str, Any]) -> Checkpoint:
    (folder / "config.json").write_text(json.dumps(fields))
    return Checkpoint.at(folder)


def test_published_settings_are_kept_as_they_are_and_in_order(tmp_path: Path) -> None:
    config = written(tmp_path, PUBLISHED_SETTINGS).config()
    assert isinstance(config, EarlierGrootConfig)
    dumped = config.model_dump(mode="json")
    assert dumped == PUBLISHED_SETTINGS
    assert list(dumped) == list(PUBLISHED_SETTINGS)
    assert config.size == PUBLISHED
    assert config.executed_steps == 16
    assert list(config.action_delta_indices) == list(range(16))


def test_the_recipe_is_the_published_one() -> None:
    config = GrootN15Config()
    assert config.scheduler_preset() == {
        "type": "cosine_decay_with_warmup",
        "num_warmup_steps": 500,
        "num_decay_steps": 10_000,
        "peak_lr": 1e-4,
        "decay_lr": pytest.approx(1e-5),
    }
    assert config.optimizer_preset()["betas"] == [0.95, 0.999]


def test_a_file_of_both_versions_is_none(tmp_path: Path) -> None:
    later = {**PUBLISHED_SETTINGS, "tune_vlln": True, "max_state_dim": 132}
    with pytest.raises(ConfigError, match="tune_vlln: got 'True', expected a field of the policy"):
        written(tmp_path, later).config()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"n_action_steps": 51}, "at most the chunk_size"),
        ({"n_obs_steps": 2}, "one observation"),
        ({"warmup_ratio": 2}, "less than or equal to 1"),
        ({"network": tiny_sizes(horizon=9)}, "a place for each action"),
        ({"network": tiny_sizes(reader={"layers": 1, "heads": 4, "head_width": 7})}, "as wide as what Eagle"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        GrootN15Config(**changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"input_features": {"observation.images.a": {"type": "VISUAL", "shape": (3, 8, 8)}}}, "observation.state"),
        ({"input_features": {"observation.state": {"type": "STATE", "shape": (5,)}}}, "at least one camera"),
        ({"max_state_dim": 4}, "max_state_dim=5"),
        ({"max_action_dim": 3}, "max_action_dim=4"),
        ({"chunk_size": 5}, "chunk_size is 5, and the network predicts 6"),
    ],
)
def test_features_that_do_not_fit_are_refused(assets: Path, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(FeatureMismatchError, match=expected):
        GrootN15Config(**tiny_settings(assets, **changes)).build()


# --- files of NVIDIA's layout ----------------------------------------------------------------------------------------


def base(folder: Path, change: Callable[[dict[str, Any]], Any] = lambda _: None) -> GrootN15Config:
    """Settings that take sizes from files."""
    fields = nvidia_config(tiny_sizes(shuffle=True), 10, 8)
    change(fields)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(fields))
    write_tiny_assets(folder / "assets", tiny_sizes(shuffle=True))
    settings = tiny_settings(folder / "assets", network=None, base_model_path=str(folder))
    return GrootN15Config(**settings)


def test_sizes_come_from_files(tmp_path: Path) -> None:
    assert base(tmp_path / "base").size == GrootN15Size(**tiny_sizes(shuffle=True))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda fields: fields.update(model_type="gr00t_n1", architectures=["GR00T_N1"]), "model_type is gr00t_n1"),
        (lambda fields: fields.pop("action_head_cfg"), "'action_head_cfg'"),
        (lambda fields: fields["action_head_cfg"].update(max_state_dim=44), "max_state_dim is 44, and only 10"),
        (lambda fields: fields["action_head_cfg"].update(use_vlln=False), "use_vlln is False"),
        (
            lambda fields: fields["action_head_cfg"]["diffusion_model_cfg"].pop("positional_embeddings"),
            "positional_embeddings is sinusoidal",
        ),
        (lambda fields: fields["action_head_cfg"].update(action_horizon=9), "action_horizon"),
        (lambda fields: fields["action_head_cfg"]["vl_self_attention_cfg"].update(num_layers=0), "greater than 0"),
    ],
)
def test_files_that_say_something_else_are_refused(
    change: Callable[[dict[str, Any]], Any], expected: str, tmp_path: Path
) -> None:
    config = base(tmp_path / "base", change)
    with pytest.raises(CheckpointError, match=expected):
        _ = config.size


def test_a_projection_that_files_ask_for_is_there(tmp_path: Path) -> None:
    def project(fields: dict[str, Any]) -> None:
        fields["backbone_cfg"]["project_to_dim"] = 24
        head = fields["action_head_cfg"]
        head["backbone_embedding_dim"] = head["diffusion_model_cfg"]["cross_attention_dim"] = 24
        head["vl_self_attention_cfg"]["attention_head_dim"] = 6

    size = base(tmp_path / "base", project).size
    network = GrootN15(size, 10, 8)
    assert network.state_dict()["backbone.eagle_linear.weight"].shape == (24, 32)
    assert network.state_dict()["action_head.model.transformer_blocks.0.attn1.to_k.weight"].shape == (24, 24)


def test_a_new_policy_starts_from_the_weights_of_its_base_in_several_files(tmp_path: Path) -> None:

    config = base(tmp_path / "base")
    torch.manual_seed(0)
    weights = {name: each.clone() for name, each in GrootN15(config.size, 10, 8).state_dict().items()}
    weights.pop("backbone.eagle_model.language_model.lm_head.weight")
    names = sorted(weights)
    parts = {"a.safetensors": names[:50], "b.safetensors": names[50:]}
    for file, chosen in parts.items():
        save_file({name: weights[name] for name in chosen}, tmp_path / "base" / file)
    index = {"weight_map": {name: file for file, chosen in parts.items() for name in chosen}}
    (tmp_path / "base/model.safetensors.index.json").write_text(json.dumps(index))
    found = config.model_copy(update={"load_base_weights": True}).build().state_dict()
    assert all(torch.equal(found[f"_groot_model.{name}"], each) for name, each in weights.items())
    (tmp_path / "base/b.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"no b\.safetensors"):
        config.model_copy(update={"load_base_weights": True}).build()

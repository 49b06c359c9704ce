"""Which settings are accepted, and that they are those of published checkpoints."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lerobot.core.config import load
from lerobot.core.errors import ConfigError
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.commands.check import CheckConfig
from lerobot.vqbet.config import VQBeTConfig

# What lerobot/vqbet_pusht says of its inputs and its pictures, in the published order.
PUSHT: dict[str, Any] = {
    "type": "vqbet",
    "n_obs_steps": 5,
    "input_features": {
        "observation.image": {"type": "VISUAL", "shape": [3, 96, 96]},
        "observation.state": {"type": "STATE", "shape": [2]},
    },
    "output_features": {"action": {"type": "ACTION", "shape": [2]}},
    "n_action_pred_token": 7,
    "crop_shape": [84, 84],
    "pretrained_backbone_weights": None,
    "use_group_norm": True,
    "gpt_input_dim": 512,
    "gpt_output_dim": 512,
    "gpt_n_layer": 8,
    "gpt_n_head": 8,
    "gpt_hidden_dim": 512,
}


def test_published_settings_are_kept_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(PUSHT))
    dumped = Checkpoint.at(tmp_path).config().model_dump(mode="json")
    assert {key: dumped[key] for key in PUSHT} == PUSHT
    assert [key for key in dumped if key in PUSHT] == list(PUSHT)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"gpt_n_head": 7}, "multiple of gpt_n_head"),
        ({"gpt_block_size": 16}, "at least the 17 tokens"),
        ({"vision_backbone": "vgg16"}, "resnet"),
        ({"vision_backbone": "resnet34"}, "ResNet34_Weights"),
        ({"use_group_norm": True}, "pretrained_backbone_weights = null"),
        ({"crop_shape": (5, -1)}, "crop_shape of positive"),
        ({"bet_softmax_temperature": 0.0}, "greater than 0"),
        ({"n_vqvae_training_steps": 0}, "greater than 0"),
        ({"chunk_size": 3}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        VQBeTConfig(**changes)


def test_actions_are_those_of_all_chunks() -> None:
    config = VQBeTConfig(n_obs_steps=3, n_action_pred_token=2, action_chunk_size=4)
    assert config.n_chunks == 4
    assert list(config.observation_delta_indices) == [-2, -1, 0]
    assert list(config.action_delta_indices) == [-2, -1, 0, 1, 2, 3, 4]
    assert config.reward_delta_indices is None


def test_presets_are_the_published_ones() -> None:
    assert VQBeTConfig().optimizer_preset() == {
        "type": "adam",
        "lr": 1e-4,
        "betas": [0.95, 0.999],
        "eps": 1e-8,
        "weight_decay": 1e-6,
        "grad_clip_norm": 10.0,
    }
    assert VQBeTConfig().scheduler_preset() == {
        "type": "vqbet",
        "num_warmup_steps": 500,
        "num_vqvae_training_steps": 20000,
    }


def test_what_earlier_releases_wrote_is_read_and_the_rest_refused(tmp_path: Path, caplog: Any) -> None:
    """`mlp_hidden_dim` stands in configurations up to 0.3.3, and in lerobot/vqbet_pusht."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**PUSHT, "mlp_hidden_dim": 1024}))
    config = Checkpoint.at(tmp_path).config()
    assert "mlp_hidden_dim" not in config.model_dump()
    lines = [record.message for record in caplog.records]
    assert lines == ["mlp_hidden_dim=1024 is ignored: releases after 0.3.3 have no such field"]
    file.write_text(json.dumps({**PUSHT, "my_fork_flag": 1}))
    with pytest.raises(ConfigError, match="my_fork_flag"):
        Checkpoint.at(tmp_path).config()


@pytest.mark.parametrize("flag", ["--policy.mlp_hidden_dim=9", "--policy.my_fork_flag=1"])
def test_a_field_that_is_gone_cannot_be_asked_for(flag: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({**PUSHT, "mlp_hidden_dim": 1024}))
    policy = load(CheckConfig, [f"--policy.path={tmp_path}"]).config.policy
    assert isinstance(policy, VQBeTConfig)
    with pytest.raises(ConfigError, match="a known flag"):
        load(CheckConfig, [f"--policy.path={tmp_path}", flag])

"""Which settings are accepted, that they are those of published checkpoints, and where sizes come from."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from tiny_pi import DECODER, tiny_networks, tiny_settings

from lerobot.core.errors import FeatureMismatchError
from lerobot.pi0.config import PI0Config
from lerobot.pi0.pi05_config import PI05Config
from lerobot.pi0.prompt import in_bins
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.testing import statistics

CONFIGS = {"pi0": PI0Config, "pi05": PI05Config}


def published(name: str) -> dict[str, Any]:
    """What the peer's release 0.6.1 writes for a new policy of the published size, in its order."""
    length = {"tokenizer_max_length": 48 if name == "pi0" else 200}
    scaled = "MEAN_STD" if name == "pi0" else "QUANTILES"
    images = {f"observation.images.{key}_rgb": {"type": "VISUAL", "shape": [3, 224, 224]} for key in ("base_0", "left")}
    return {
        "type": name,
        "n_obs_steps": 1,
        "input_features": {**images, "observation.state": {"type": "STATE", "shape": [32]}},
        "output_features": {"action": {"type": "ACTION", "shape": [32]}},
        "device": "cpu",
        "use_amp": False,
        "use_peft": False,
        "push_to_hub": True,
        "repo_id": None,
        "private": None,
        "tags": None,
        "license": None,
        "pretrained_path": None,
        "pretrained_revision": None,
        "paligemma_variant": "gemma_2b",
        "action_expert_variant": "gemma_300m",
        "dtype": "float32",
        "chunk_size": 50,
        "n_action_steps": 50,
        "max_state_dim": 32,
        "max_action_dim": 32,
        "num_inference_steps": 10,
        "time_sampling_beta_alpha": 1.5,
        "time_sampling_beta_beta": 1.0,
        "time_sampling_scale": 0.999,
        "time_sampling_offset": 0.001,
        "min_period": 0.004,
        "max_period": 4.0,
        "use_relative_actions": False,
        "relative_exclude_joints": ["gripper"],
        "action_feature_names": None,
        "rtc_config": None,
        "image_resolution": [224, 224],
        "empty_cameras": 0,
        **(length if name == "pi05" else {}),
        "normalization_mapping": {"VISUAL": "IDENTITY", "STATE": scaled, "ACTION": scaled},
        "gradient_checkpointing": False,
        "compile_model": False,
        "compile_mode": "max-autotune",
        "freeze_vision_encoder": False,
        "train_expert_only": False,
        "optimizer_lr": 2.5e-05,
        "optimizer_betas": [0.9, 0.95],
        "optimizer_eps": 1e-08,
        "optimizer_weight_decay": 0.01,
        "optimizer_grad_clip_norm": 1.0,
        "scheduler_warmup_steps": 1000,
        "scheduler_decay_steps": 30000,
        "scheduler_decay_lr": 2.5e-06,
        **(length if name == "pi0" else {}),
    }


@pytest.mark.parametrize("name", CONFIGS)
def test_published_settings_are_kept_as_they_are_and_in_order(name: str, tmp_path: Path) -> None:
    expected = published(name)
    (tmp_path / "config.json").write_text(json.dumps(expected))
    config = Checkpoint.at(tmp_path).config()
    assert isinstance(config, CONFIGS[name])
    dumped = config.model_dump(mode="json")
    assert dumped == expected
    assert list(dumped) == list(expected)


def test_fields_of_the_peers_main_are_accepted_and_not_written() -> None:
    memory = {"memory_frames": 6, "memory_stride": 30, "memory_temporal_attention_every": 4}
    config = PI05Config(use_visual_memory=False, use_proprioceptive_memory=False, rtc_training_max_delay=0, **memory)
    assert config.model_dump() == PI05Config().model_dump()
    assert not {*memory, "use_visual_memory", "rtc_training_max_delay"} & set(config.model_dump())
    with pytest.raises(ValidationError, match="use_visual_memory"):
        PI05Config(use_visual_memory=True)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"n_action_steps": 51}, "at most the chunk_size"),
        ({"n_obs_steps": 2}, "one observation"),
        ({"paligemma_variant": "gemma_7b"}, "gemma_2b"),
        ({"dtype": "float16"}, "bfloat16"),
        ({"image_resolution": (224, 112)}, "two equal numbers"),
        (tiny_networks(image_resolution=(64, 64)), "two equal numbers"),
        ({"action_expert": {**DECODER, "width": 24, "hidden": 8}}, "with the layers, head_width of PaliGemma"),
        ({"num_inference_steps": 0}, "greater than 0"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], expected: str) -> None:
    for config in CONFIGS.values():
        with pytest.raises(ValidationError, match=expected):
            config(**changes)


def test_a_delay_must_be_shorter_than_the_chunk() -> None:
    with pytest.raises(ValidationError, match="below the chunk_size, 50"):
        PI05Config(rtc_training_max_delay=50)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"input_features": {"observation.images.a": {"type": "VISUAL", "shape": (3, 8, 8)}}}, "observation.state"),
        ({"max_state_dim": 4}, "max_state_dim=5"),
        ({"max_action_dim": 3}, "max_action_dim=4"),
        ({"use_relative_actions": True}, "gripper, and joints have no names"),
    ],
)
def test_features_that_do_not_fit_are_refused(tokenizer: Path, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(FeatureMismatchError, match=expected):
        PI0Config(**tiny_settings(tokenizer, **changes)).build()


def test_the_state_is_told_in_words(tokenizer: Path) -> None:
    """The prompt of huggingface/lerobot 0.6.1 for this state and task."""
    values = [-1.2, -1, -0.999, 0, 0.5, 0.9921, 0.9922, 1, 1.3]
    features = {
        "observation.images.a": {"type": "VISUAL", "shape": (3, 8, 8)},
        "observation.state": {"type": "STATE", "shape": (9,)},
    }
    config = PI05Config(
        **tiny_settings(tokenizer, input_features=features, max_state_dim=9),
        normalization_mapping={"VISUAL": "IDENTITY", "STATE": "IDENTITY", "ACTION": "IDENTITY"},
    )
    processors = make_processors(config, statistics(config))
    prompt = processors.preprocessor.steps[4]
    done = prompt(
        {
            "observation": {"observation.state": torch.tensor([values])},
            "complementary_data": {"task": [" pick_up\nthe Cube "]},
        }
    )
    expected = "Task: pick up the Cube, State: -1 0 0 128 192 254 255 255 255;\nAction: "
    assert done["complementary_data"]["task"] == [expected]
    assert in_bins(torch.tensor([[-1.0, 1.0]])) == [[0, 255]]
    for observation, tasks in ({}, ["go"]), ({"observation.state": torch.zeros(2, 9)}, ["go"]):
        with pytest.raises(FeatureMismatchError):
            prompt({"observation": observation, "complementary_data": {"task": tasks}})

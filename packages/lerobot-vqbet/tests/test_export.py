"""An exported VQ-BeT acts like VQ-BeT: it is given the last observations, and what it draws its codes by."""

import json
from pathlib import Path

import pytest
import torch

from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.export.files import export
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.policies.processing.pipelines import make_processors
from lerobot.policies.testing import statistics
from lerobot.vqbet.config import VQBeTConfig


@pytest.mark.slow
@pytest.mark.parametrize("in_turn", [False, True])
@pytest.mark.parametrize("name", ["onnx", "pt2", "torchscript"])
def test_every_kind_of_file_acts_like_the_policy(name: str, in_turn: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = VQBeTConfig(
        device="cpu",
        input_features={
            "observation.image": PolicyFeature(type=FeatureType.VISUAL, shape=(3, 40, 40)),
            "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(3,)),
        },
        output_features={"action": PolicyFeature(type=FeatureType.ACTION, shape=(2,))},
        sequentially_select=in_turn,
        vision_backbone="resnet8",
        pretrained_backbone_weights=None,
        crop_shape=(32, 32),
        n_obs_steps=2,
        n_action_pred_token=2,
        action_chunk_size=3,
        gpt_n_layer=1,
        gpt_n_head=2,
        gpt_input_dim=16,
        gpt_output_dim=16,
        gpt_hidden_dim=16,
        vqvae_n_embed=4,
        vqvae_embedding_dim=8,
        vqvae_enc_hidden_dim=8,
    )
    policy = config.build().eval()
    trained = PolicyWithProcessors(policy, make_processors(config, statistics(config)))
    assert max(export(trained, tmp_path, formats=[name]).values()) < 1e-5
    noise = json.loads((tmp_path / "policy.json").read_text())["inputs"][-1]
    assert noise == {"name": "noise", "dtype": "float32", "shape": ["batch", 3, 2, 4], "noise": "exponential"}

"""The reward classifier with huggingface/lerobot: 20 random configurations, both ways.

Losses, all weights after three steps of the optimizer, and judgements must agree within 1e-5, or 1e-5 of their largest
element where that is over 1 (float32, CPU), with dropout drawn from the same random numbers. The image encoders are
small ones of transformers.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from exchange import Tensors, difference, part, run_peer, statistics
from safetensors.torch import load_file, save_file

from lerobot.hilserl.classifier.files import TrainedClassifier
from lerobot.hilserl.classifier_config import ClassifierConfig
from lerobot.policies.features import FeatureType, PolicyFeature
from lerobot.training.learner.gradients import clip_gradients

pytestmark = [pytest.mark.peer, pytest.mark.timeout(900)]

CASES, ROWS, STEPS = 20, 4, 3


def encoder(folder: Path, random: np.random.Generator) -> None:
    from transformers import ResNetConfig, ResNetModel

    widths = [int(each) for each in random.choice([6, 8, 10], size=4)]
    config = ResNetConfig(embedding_size=6, hidden_sizes=widths, depths=[1, 1, 1, 1], layer_type="basic")
    ResNetModel(config).save_pretrained(folder)


def write_case(folder: Path, index: int) -> None:
    random = np.random.default_rng(index)
    torch.manual_seed(index)
    encoder(folder / "encoder", random)
    cameras = [f"observation.images.{name}" for name in ("front", "wrist", "top")[: 1 + index % 3]]
    settings: dict[str, Any] = {
        "num_classes": 3 if index % 4 == 3 else 2,
        "hidden_dim": int(random.choice([8, 12])),
        "latent_dim": int(random.choice([6, 10])),
        "image_embedding_pooling_dim": int(random.choice([1, 3])),
        "dropout_rate": float(random.choice([0.0, 0.1, 0.4])),
        "model_name": str(folder / "encoder"),
        "num_cameras": len(cameras),
    }
    inputs = {key: PolicyFeature(type=FeatureType.VISUAL, shape=(3, 128, 128)) for key in cameras}
    config = ClassifierConfig(input_features=inputs, device="cpu", **settings)
    tensors: Tensors = {"labels": torch.randint(settings["num_classes"], (ROWS,)).float()}
    for key in cameras:
        tensors[f"batch.{key}"], tensors[f"seen.{key}"] = torch.rand(2, ROWS, 3, 128, 128)
        tensors[f"stats.{key}.mean"], tensors[f"stats.{key}.std"] = torch.rand(2, 3, 1, 1) + 0.2
    trained = TrainedClassifier.new(config, statistics(tensors))
    with torch.no_grad():
        for parameter in trained.network.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    trained.save(folder / "ours")
    save_file(tensors, folder / "data.safetensors")
    inputs_json = config.model_dump(mode="json")["input_features"]
    case = {"inputs": inputs_json, "settings": settings, "seed": index, "steps": STEPS}
    (folder / "case.json").write_text(json.dumps(case))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classifier")
    for index in range(CASES):
        write_case(folder / str(index), index)
    run_peer("peer_reward_classifier.py", folder)
    return folder


@pytest.mark.parametrize("index", range(CASES))
class TestCase:
    def test_training(self, root: Path, index: int) -> None:
        folder = root / str(index)
        tensors, peer = load_file(folder / "data.safetensors"), load_file(folder / "peer.safetensors")
        trained = TrainedClassifier.load(folder / "ours")
        network = trained.network.train()
        optimizer = torch.optim.AdamW(
            (each for each in network.parameters() if each.requires_grad), lr=1e-2, weight_decay=0.01
        )
        torch.manual_seed(7)
        for step in range(STEPS):
            loss, _ = network.loss(trained.preprocessor(part(tensors, "batch")), tensors["labels"])
            optimizer.zero_grad()
            loss.backward()
            clip_gradients(network.parameters(), 1.0)
            optimizer.step()
            assert difference(loss.detach(), peer[f"loss.{step}"]) <= 1e-5
        weights = network.state_dict()
        assert {f"weight.{key}" for key in weights} == {key for key in peer if key.startswith("weight.")}
        for key, value in weights.items():
            assert difference(value, peer[f"weight.{key}"]) <= 1e-5, key

    @pytest.mark.parametrize("whose", ["ours", "theirs"])
    def test_judgements_of_either_checkpoint(self, root: Path, index: int, whose: str) -> None:
        folder = root / str(index)
        tensors, peer = load_file(folder / "data.safetensors"), load_file(folder / "peer.safetensors")
        trained = TrainedClassifier.load(folder / whose)
        with torch.no_grad():
            found = trained.network(trained.preprocessor(part(tensors, "seen")))
        assert difference(found, peer[f"judged.{whose}"]) <= 1e-5

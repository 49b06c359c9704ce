"""HIL-SERL's policy and SAC with huggingface/lerobot: 20 random configurations, both ways.

Losses, norms of gradients, all weights of actor, critics, slow copies and temperature after three updates, and actions
must agree within 1e-5, or 1e-5 of their largest element where that is over 1 (float32, CPU), with actions and dropout
drawn from the same random numbers.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from exchange import Tensors, difference, drawn_statistics, part, run_peer, statistics
from safetensors.torch import load_file, save_file

from lerobot.hilserl.config import GaussianActorConfig
from lerobot.hilserl.sac import SAC
from lerobot.hilserl.sac_config import SACConfig
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import FeatureType, PolicyFeature, PolicyFeatures
from lerobot.policies.processing.pipelines import make_processors
from lerobot.rl.transition import TransitionBatch

pytestmark = [pytest.mark.peer, pytest.mark.timeout(900)]

CASES, ROWS, TICKS, UPDATES = 20, 6, 5, 3
LOSSES = {
    "loss_critic": "critic_loss",
    "loss_discrete_critic": "discrete_critic_loss",
    "loss_actor": "actor_loss",
    "loss_temperature": "temperature_loss",
    "norm_critic": "critic_norm",
}


def layers(random: np.random.Generator) -> dict[str, Any]:
    widths = [int(each) for each in random.choice([8, 12, 16], size=int(random.integers(1, 4)))]
    return {"hidden_dims": widths, "activate_final": bool(random.integers(2))}


def settings(random: np.random.Generator, index: int) -> dict[str, Any]:
    return {
        "image_encoder_hidden_dim": int(random.choice([4, 6])),
        "image_embedding_pooling_dim": int(random.choice([2, 3])),
        "latent_dim": int(random.choice([8, 12])),
        "shared_encoder": index % 4 != 1,
        "freeze_vision_encoder": index % 3 != 0,
        "num_discrete_actions": int(random.integers(2, 5)) if index % 2 else None,
        "actor_network_kwargs": layers(random),
        "discrete_critic_network_kwargs": layers(random) | {"final_activation": "Tanh" if index % 5 == 4 else None},
        "policy_kwargs": {"std_min": 1e-3, "std_max": float(random.choice([0.5, 5.0])), "init_final": 0.05},
    }


def algorithm_settings(random: np.random.Generator, index: int, policy: dict[str, Any]) -> dict[str, Any]:
    critics = int(random.integers(1, 5))
    return {
        "actor_lr": 1e-3,
        "critic_lr": 2e-3,
        "temperature_lr": 3e-3,
        "discount": float(random.choice([0.9, 0.99])),
        "use_backup_entropy": bool(index % 3),
        "critic_target_update_weight": float(random.choice([0.005, 0.05])),
        "num_critics": critics,
        "num_subsample_critics": int(random.integers(1, critics + 1)) if index % 2 else None,
        "critic_network_kwargs": layers(random) | {"final_activation": None},
        "discrete_critic_network_kwargs": policy["discrete_critic_network_kwargs"],
        "temperature_init": float(random.choice([0.01, 1.0])),
        "target_entropy": -1.5 if index % 7 == 3 else None,
        "utd_ratio": int(random.integers(1, 4)),
        "policy_update_freq": int(random.integers(1, 3)),
        "grad_clip_norm": float(random.choice([0.5, 40.0])),
    }


def features(random: np.random.Generator, index: int) -> tuple[PolicyFeatures, PolicyFeatures]:
    inputs: PolicyFeatures = {}
    if index % 5 != 2:
        shape = (3, 40 + index, 44)
        for camera in ("front", "wrist")[: 1 + index % 2]:
            inputs[f"observation.images.{camera}"] = PolicyFeature(type=FeatureType.VISUAL, shape=shape)
    if index % 5 != 3:
        inputs["observation.state"] = PolicyFeature(type=FeatureType.STATE, shape=(int(random.integers(1, 8)),))
    if index % 6 == 4:
        inputs["observation.environment_state"] = PolicyFeature(type=FeatureType.ENV, shape=(5,))
    return inputs, {"action": PolicyFeature(type=FeatureType.ACTION, shape=(int(random.integers(1, 5)),))}


def data(seed: int, config: GaussianActorConfig, batches: int) -> Tensors:
    torch.manual_seed(seed)
    found = drawn_statistics(config)
    actions, choices = config.output_features["action"].shape[0], config.num_discrete_actions
    for index in range(batches):
        for key, feature in config.input_features.items():
            for when in ("state", "next_state"):
                found[f"batch.{index}.{when}.{key}"] = torch.randn(ROWS, *feature.shape)
        action = torch.rand(ROWS, actions) * 2 - 1
        if choices is not None:
            action = torch.cat([action, torch.randint(choices, (ROWS, 1)).float()], dim=1)
            found[f"batch.{index}.discrete_penalty"] = -torch.rand(ROWS)
        found[f"batch.{index}.action"] = action
        found[f"batch.{index}.reward"] = torch.randn(ROWS)
        found[f"batch.{index}.done"] = torch.arange(ROWS) % 3 == 0
    for key, feature in config.input_features.items():
        draw = torch.rand if feature.type is FeatureType.VISUAL else torch.randn
        found[f"tick.{key}"] = draw(TICKS, *feature.shape)
    return found


def batches(tensors: Tensors, count: int) -> Iterator[TransitionBatch]:
    for index in range(count):
        own = part(tensors, f"batch.{index}")
        penalty = {"discrete_penalty": own["discrete_penalty"][:, None]} if "discrete_penalty" in own else {}
        yield TransitionBatch(
            part(own, "state"),
            own["action"][:, None],
            own["reward"][:, None],
            own["done"][:, None],
            torch.ones(ROWS, 1, dtype=torch.bool),
            part(own, "next_state"),
            torch.zeros(ROWS, 1, dtype=torch.bool),
            penalty,
            [""] * ROWS,
        )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hilserl")
    for index in range(CASES):
        write_case(folder / str(index), index)
    run_peer("peer_hilserl.py", folder)
    return folder


def write_case(folder: Path, index: int) -> None:
    random = np.random.default_rng(index)
    chosen = settings(random, index)
    algorithm = algorithm_settings(random, index, chosen)
    inputs, outputs = features(random, index)
    config = GaussianActorConfig(
        input_features=inputs, output_features=outputs, device="cpu", push_to_hub=False, **chosen
    )
    tensors = data(index, config, UPDATES * algorithm["utd_ratio"])
    torch.manual_seed(100 + index)
    policy = config.build()
    randomise(policy.parameters())
    trained = PolicyWithProcessors(policy, make_processors(config, statistics(tensors)))
    trained.save_pretrained(folder / "ours")
    sac = SAC(SACConfig(**algorithm), trained=trained)
    randomise(value for name, value in sac.networks.named_parameters() if ".encoder." not in name)
    save_file({key: value.clone() for key, value in sac.state_dict().items()}, folder / "algorithm.safetensors")
    save_file(tensors, folder / "data.safetensors")
    dumped = config.model_dump(mode="json")
    case = {
        "inputs": dumped["input_features"],
        "outputs": dumped["output_features"],
        "settings": chosen,
        "algorithm": algorithm,
        "seed": index,
        "updates": UPDATES,
    }
    (folder / "case.json").write_text(json.dumps(case))


def randomise(parameters: Any) -> None:
    """Slow copies begin as the others: that would prove nothing."""
    with torch.no_grad():
        for parameter in parameters:
            parameter += 0.2 * torch.randn_like(parameter)


def acted(pair: PolicyWithProcessors, tensors: Tensors) -> torch.Tensor:
    pair.policy.eval()
    torch.manual_seed(5)
    ticks = part(tensors, "tick")
    return torch.stack(
        [
            pair.policy.select_action(pair.processors.preprocessor({key: each[index] for key, each in ticks.items()}))
            for index in range(TICKS)
        ]
    )


@pytest.mark.parametrize("index", range(CASES))
class TestCase:
    def test_updates(self, root: Path, index: int) -> None:
        folder = root / str(index)
        asked, tensors = json.loads((folder / "case.json").read_text()), load_file(folder / "data.safetensors")
        peer = load_file(folder / "peer.safetensors")
        pair = PolicyWithProcessors.from_pretrained(folder / "ours")
        sac = SAC(SACConfig(**asked["algorithm"]), trained=pair)
        sac.load_state_dict(load_file(folder / "algorithm.safetensors"))
        pair.policy.train()
        given = batches(tensors, UPDATES * asked["algorithm"]["utd_ratio"])
        torch.manual_seed(7)
        for update in range(UPDATES):
            measured = sac.update(lambda: next(given))
            for theirs, ours in LOSSES.items():
                if f"{theirs}.{update}" in peer:
                    found = torch.as_tensor(measured[ours]).detach()
                    assert difference(found, peer[f"{theirs}.{update}"]) <= 1e-5, (theirs, update)
        compared = {f"weight.{key}": value for key, value in pair.policy.state_dict().items()}
        compared |= {f"algorithm.{key}": value for key, value in sac.state_dict().items() if key != "updates"}
        assert {key for key in peer if key.startswith(("weight.", "algorithm."))} == compared.keys()
        for key, value in compared.items():
            assert difference(value.detach(), peer[key]) <= 1e-5, key

    @pytest.mark.parametrize("whose", ["ours", "theirs"])
    def test_actions_of_either_checkpoint(self, root: Path, index: int, whose: str) -> None:
        folder = root / str(index)
        tensors, peer = load_file(folder / "data.safetensors"), load_file(folder / "peer.safetensors")
        pair = PolicyWithProcessors.from_pretrained(folder / whose)
        assert difference(acted(pair, tensors), peer[f"acted.{whose}"]) <= 1e-5

    def test_its_algorithm_is_loaded(self, root: Path, index: int) -> None:
        folder = root / str(index)
        asked = json.loads((folder / "case.json").read_text())
        pair = PolicyWithProcessors.from_pretrained(folder / "theirs")
        sac = SAC(SACConfig(**asked["algorithm"]), trained=pair)
        saved = load_file(folder / "theirs" / "algorithm" / "model.safetensors")
        sac.load_state_dict(saved)
        found = sac.state_dict()
        for key, value in saved.items():
            assert torch.equal(found[key], value), key

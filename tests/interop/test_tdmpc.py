"""TD-MPC cross-loaded with huggingface/lerobot: 20 random configurations, both ways.

Losses, their parts, gradients, all weights after three steps of the optimizer with the slow copy following, and planned
actions must agree within 1e-5, or 1e-5 of their largest element where that is over 1 (float32, CPU), with shifts,
judges and plans drawn from the same random numbers; processed batches exactly.

From states alone the peer only acts: its loss reads a picture or an environment's state.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from exchange import Tensors, acted, difference, drawn_statistics, part, run_peer, statistics
from safetensors.torch import load_file, save_file

from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import FeatureType, PolicyFeature, PolicyFeatures
from lerobot.policies.processing.pipelines import make_processors
from lerobot.tdmpc.config import TDMPCConfig

pytestmark = [pytest.mark.peer, pytest.mark.timeout(900)]

CASES, ROWS, TICKS, STEPS = 20, 3, 12, 3


def settings(random: np.random.Generator, index: int) -> dict[str, Any]:
    horizon, several, plans = int(random.integers(1, 5)), index % 3 == 1, int(random.integers(10, 40))
    mpc, proposals = index % 6 != 5, 0 if index % 7 == 3 else int(random.integers(1, 9))
    return {
        "n_action_repeats": 1 if several else int(random.integers(1, 4)),
        "horizon": horizon,
        "n_action_steps": int(random.integers(1, horizon + 1)) if several and mpc else 1,
        "image_encoder_hidden_dim": int(random.choice([4, 6])),
        "state_encoder_hidden_dim": int(random.choice([8, 12])),
        "latent_dim": int(random.choice([6, 10])),
        "q_ensemble_size": int(random.integers(2, 6)),
        "mlp_dim": int(random.choice([16, 24])),
        "discount": float(random.choice([0.9, 0.97, 1.0])),
        "use_mpc": mpc,
        "cem_iterations": int(random.integers(1, 5)),
        "max_std": float(random.choice([0.5, 2.0])),
        "min_std": 0.0 if index == 8 else float(random.choice([0.05, 0.2])),
        "n_gaussian_samples": plans,
        "n_pi_samples": proposals,
        "uncertainty_regularizer_coeff": 0.0 if index % 5 == 2 else float(random.choice([0.5, 1.0])),
        "n_elites": int(random.integers(2, plans + proposals + 1)),
        "elite_weighting_temperature": float(random.choice([0.5, 2.0])),
        "gaussian_mean_momentum": float(random.choice([0.0, 0.1, 0.5])),
        "max_random_shift_ratio": 0.0 if index % 4 == 0 else float(random.choice([0.0476, 0.1])),
        "reward_coeff": float(random.choice([0.5, 1.0])),
        "expectile_weight": float(random.choice([0.6, 0.9])),
        "value_coeff": float(random.choice([0.1, 1.0])),
        "consistency_coeff": float(random.choice([2.0, 20.0])),
        "advantage_scaling": float(random.choice([0.5, 3.0])),
        "pi_coeff": float(random.choice([0.5, 1.0])),
        "temporal_decay_coeff": float(random.choice([0.5, 1.0])),
        "target_model_momentum": float(random.choice([0.9, 0.995])),
    }


def features(random: np.random.Generator, index: int) -> tuple[PolicyFeatures, PolicyFeatures]:
    inputs = {"observation.state": PolicyFeature(type=FeatureType.STATE, shape=(int(random.integers(1, 8)),))}
    if index % 3:
        channels = 1 if index == 7 else 3
        inputs["observation.image"] = PolicyFeature(type=FeatureType.VISUAL, shape=(channels, 40 + index, 40 + index))
    if (index % 3 == 0 and index % 5) or index % 3 == 2:
        inputs["observation.environment_state"] = PolicyFeature(type=FeatureType.ENV, shape=(5,))
    return inputs, {"action": PolicyFeature(type=FeatureType.ACTION, shape=(int(random.integers(1, 7)),))}


def data(seed: int, config: TDMPCConfig) -> Tensors:
    torch.manual_seed(seed)
    found = drawn_statistics(config)
    steps = config.horizon
    for key, feature in config.input_features.items():
        draw = torch.rand if feature.type is FeatureType.VISUAL else torch.randn
        found[f"batch.{key}"] = draw(ROWS, steps + 1, *feature.shape)
        found[f"tick.{key}"] = draw(TICKS, ROWS, *feature.shape)
    found["batch.action"] = torch.randn(ROWS, steps, *config.output_features["action"].shape)
    found["batch.next.reward"] = torch.randn(ROWS, steps)
    found["batch.index"] = torch.arange(ROWS)
    for key, count in (("observation.state", steps + 1), ("action", steps), ("next.reward", steps)):
        # Of the first row the last step is beyond the end of the episode.
        found[f"batch.{key}_is_pad"] = torch.zeros(ROWS, count, dtype=torch.bool)
        found[f"batch.{key}_is_pad"][0, max(count - 1, 1) :] = True
    return found


def learns(config: TDMPCConfig) -> bool:
    """Whether the peer can learn from these inputs."""
    return len(config.input_features) > 1


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tdmpc")
    for index in range(CASES):
        write_case(folder / str(index), index)
    run_peer("peer_tdmpc.py", folder)
    return folder


def write_case(folder: Path, index: int) -> None:
    random = np.random.default_rng(index)
    chosen = settings(random, index)
    inputs, outputs = features(random, index)
    config = TDMPCConfig(input_features=inputs, output_features=outputs, device="cpu", push_to_hub=False, **chosen)
    tensors = data(index, config)
    torch.manual_seed(100 + index)
    policy = config.build()
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    PolicyWithProcessors(policy, make_processors(config, statistics(tensors))).save_pretrained(folder / "ours")
    save_file(tensors, folder / "data.safetensors")
    dumped = config.model_dump(mode="json")
    case = {
        "inputs": dumped["input_features"],
        "outputs": dumped["output_features"],
        "settings": chosen,
        "seed": index,
        "steps": STEPS,
        "learns": learns(config),
    }
    (folder / "case.json").write_text(json.dumps(case))


def seed(number: int) -> None:
    torch.manual_seed(number)
    np.random.seed(number)


def learned(pair: PolicyWithProcessors, batch: dict[str, Any], steps: int) -> Tensors:
    """Loss, its parts and gradients of the first step, and all weights after a few."""
    policy = pair.policy.train()
    optimizer = torch.optim.Adam(policy.parameter_groups(), lr=1e-3)
    seed(7)
    found: Tensors = {}
    for step in range(steps):
        optimizer.zero_grad()
        loss, parts = policy.forward(batch)
        loss.backward()
        if step == 0:
            found |= {f"grad.{name}": p.grad.clone() for name, p in policy.named_parameters() if p.grad is not None}
            found |= {f"part.{name}": value.clone() for name, value in parts.items()}
        found[f"loss.{step}"] = loss.detach()
        optimizer.step()
        policy.update()
    return {**found, **{f"weight.{name}": value.clone() for name, value in policy.state_dict().items()}}


@pytest.mark.parametrize("index", range(CASES))
def test_policies_saved_by_the_peer_act_and_learn_alike_here(root: Path, index: int) -> None:
    folder = root / str(index)
    tensors, theirs = load_file(folder / "data.safetensors"), load_file(folder / "theirs.safetensors")
    pair = PolicyWithProcessors.from_pretrained(folder / "theirs")
    batch = pair.processors.preprocessor(part(tensors, "batch"))
    processed = part(theirs, "processed")
    for key, value in processed.items():
        assert torch.equal(batch[key], value), key
    seed(5)
    found = {"actions": acted(pair, tensors)}
    if learns(pair.policy.config):
        found |= learned(pair, batch, STEPS)
    assert found.keys() == theirs.keys() - {f"processed.{key}" for key in processed}
    different = {key: each for key, value in found.items() if not (each := difference(value, theirs[key])) <= 1e-5}
    assert not different


@pytest.mark.parametrize("index", range(CASES))
def test_policies_saved_here_act_and_learn_alike_at_the_peer(root: Path, index: int) -> None:
    folder = root / str(index)
    tensors, theirs = load_file(folder / "data.safetensors"), load_file(folder / "ours.safetensors")
    pair = PolicyWithProcessors.from_pretrained(folder / "ours")
    seed(5)
    found = {"actions": acted(pair, tensors)}
    if learns(pair.policy.config):
        found |= learned(pair, pair.processors.preprocessor(part(tensors, "batch")), 1)
    assert found.keys() == theirs.keys()
    different = {key: each for key, value in found.items() if not (each := difference(value, theirs[key])) <= 1e-5}
    assert not different


@pytest.mark.parametrize("index", range(0, CASES, 7))
def test_files_are_the_peers(root: Path, index: int) -> None:
    """The same fields in the same order, and the same steps."""
    for name in ("config", "policy_preprocessor", "policy_postprocessor"):
        ours, theirs = ((root / str(index) / side / f"{name}.json").read_text() for side in ("ours", "theirs"))
        assert json.loads(ours) == json.loads(theirs)
        assert list(json.loads(ours)) == list(json.loads(theirs))

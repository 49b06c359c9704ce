"""GR00T N1.5 cross-loaded with huggingface/lerobot 0.4.4: 20 random small configurations, files both ways.

Later releases cannot load it. Processed batches must be equal; what Eagle hands on, losses, gradients, three optimizer
steps and chunks must agree within 1e-5 of their largest element, in float32 and in mixed precision alike. Dropout,
noise and times are drawn by the same generators.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from exchange import Tensors, described, part, run_peer, statistics
from safetensors.torch import load_file, save_file
from tiny_groot import nvidia_config, tiny_sizes, write_tiny_assets

from lerobot.groot.config import EarlierGrootConfig, GrootN15Config
from lerobot.groot.policy import GrootN15Policy
from lerobot.groot.step_configs import EMBODIMENTS
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import load_processors, make_processors

# Twenty policies of another release are built first, each with its vision-language model.
pytestmark = [pytest.mark.peer, pytest.mark.timeout(1200)]

CASES, ROWS, JOINTS = 20, 3, 4
TASKS = ["pick up the red cube", 'it\'s "there"\n', "öffne die Schublade", ""]


def sizes(random: np.random.Generator, index: int) -> dict[str, Any]:
    found = tiny_sizes(shuffle=index % 3 == 1)
    patch, side = int(random.choice([4, 8])), 2 * int(random.choice([1, 2]))
    heads = int(random.choice([2, 4]))
    found["eagle"]["vision"] |= {"layers": int(random.integers(1, 3)), "image": patch * side, "patch": patch}
    found["eagle"]["text"] |= {
        "layers": int(random.integers(1, 4)),
        "heads": heads,
        "key_heads": int(random.choice([1, 2])),
        "head_width": int(random.choice([8, 12])),
    }
    found["head"] |= {
        "reader": {"layers": int(random.integers(1, 3)), "heads": heads, "head_width": 32 // heads, "dropout": 0.2},
        "dit": {"layers": int(random.integers(1, 5)), "heads": 2, "head_width": int(random.choice([8, 12]))},
        "hidden": int(random.choice([16, 24])),
        "future_tokens": int(random.integers(1, 6)),
        # There, chunks are of 16 actions or of fewer.
        "horizon": int(random.integers(2, 7)) if index % 4 else 16,
        "positions": 20,
        "steps": int(random.choice([1, 4, 7])),
    }
    found["head"]["dit"]["dropout"] = float(random.choice([0.0, 0.2]))
    return found


def settings(random: np.random.Generator, index: int, folder: Path) -> dict[str, Any]:
    return {
        "chunk_size": 6 if index % 4 else 50,
        "n_action_steps": 3,
        "max_state_dim": int(random.choice([5, 8])),
        "max_action_dim": int(random.choice([JOINTS, 8])),
        "base_model_path": str(folder / "base"),
        "tokenizer_assets_repo": str(folder / "assets"),
        "embodiment_tag": str(random.choice(list(EMBODIMENTS))),
        "tune_llm": index % 5 == 1,
        "tune_visual": index % 5 == 2,
        "tune_projector": index % 5 != 3,
        "tune_diffusion_model": index % 5 != 4,
        "use_bf16": index in {3, 6, 11, 15},
    }


def features(index: int) -> dict[str, Any]:
    names = [["front"], ["wrist", "front"], ["b", "a", "c"]][index % 3]
    shape = [(3, 32, 40), (3, 17, 9)][index % 2]
    cameras = {f"observation.images.{name}": {"type": "VISUAL", "shape": shape} for name in names}
    return {**cameras, "observation.state": {"type": "STATE", "shape": (5,)}}


def data(seed: int, config: GrootN15Config) -> Tensors:
    torch.manual_seed(seed)
    found: Tensors = {}
    for key, width in (("observation.state", 5), ("action", JOINTS)):
        low = torch.randn(width) - 1
        found |= {f"stats.{key}.min": low, f"stats.{key}.max": low + 3 * torch.rand(width)}
    # One that never varies.
    found["stats.action.max"][1] = found["stats.action.min"][1]
    for key, feature in config.input_features.items():
        draw = torch.randn if key.endswith("state") else torch.rand
        found |= {f"{moment}.{key}": draw(ROWS, *feature.shape) for moment in ("batch", "tick")}
    found["batch.action"] = torch.randn(ROWS, config.size.head.horizon, JOINTS)
    return found


def write_case(folder: Path, index: int) -> None:
    random = np.random.default_rng(index)
    chosen, drawn = settings(random, index, folder), sizes(random, index)
    (folder / "base").mkdir(parents=True)
    described = nvidia_config(drawn, chosen["max_state_dim"], chosen["max_action_dim"])
    (folder / "base/config.json").write_text(json.dumps(described))
    write_tiny_assets(folder / "assets", drawn)
    if chosen["chunk_size"] < 50:
        chosen["chunk_size"] = drawn["head"]["horizon"]
        chosen["n_action_steps"] = min(3, chosen["chunk_size"])
    shapes = {"input_features": features(index), "output_features": {"action": {"type": "ACTION", "shape": (JOINTS,)}}}
    config = EarlierGrootConfig(device="cpu", push_to_hub=False, **shapes, **chosen)
    tensors = data(index, config)
    torch.manual_seed(100 + index)
    policy: GrootN15Policy = config.build(from_scratch=False)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)
    PolicyWithProcessors(policy, make_processors(config, statistics(tensors))).save_pretrained(folder / "ours")
    save_file(tensors, folder / "data.safetensors")
    case = {**shapes, "settings": chosen, "seed": index, "task": [TASKS[index % len(TASKS)]] * ROWS}
    (folder / "case.json").write_text(json.dumps(case))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("groot")
    for index in range(CASES):
        write_case(folder / str(index), index)
    modules = {"HF_MODULES_CACHE": str(folder / "modules")}
    run_peer("peer_groot_n15.py", folder, python="LEROBOT_PEER_044_PYTHON", changes=modules)
    return folder


def loaded(folder: Path, saved_by: str) -> PolicyWithProcessors:
    checkpoint = Checkpoint.at(folder / saved_by)
    # This release does not save where the tokenizer is.
    own = {
        f"groot_eagle_{step}_v3": {"tokenizer_assets_repo": str(folder / "assets")} for step in ("encode", "collate")
    }
    return PolicyWithProcessors(
        PreTrainedPolicy.from_pretrained(folder / saved_by),
        load_processors(checkpoint.config(), checkpoint, overrides=own if saved_by == "theirs" else {}),
    )


def differences(folder: Path, saved_by: str, tolerance: float) -> list[str]:
    """What a policy does otherwise than the peer does with the same weights, each with its difference."""
    pair, case = loaded(folder, saved_by), json.loads((folder / "case.json").read_text())
    tensors, theirs = load_file(folder / "data.safetensors"), load_file(folder / f"{saved_by}.safetensors")
    wrong = []

    def compare(name: str, ours: torch.Tensor) -> None:
        expected = theirs[name].double()
        error = (ours.detach().double() - expected).abs().max() / max(1.0, float(expected.abs().max()))
        if not error <= tolerance:
            wrong.append(f"{name} {error:.2e}")

    policy, processors = pair.policy, pair.processors
    assert isinstance(policy, GrootN15Policy)
    tick = processors.preprocessor({**part(tensors, "tick"), "task": case["task"]})
    with torch.no_grad(), policy.mixed():
        seen = (tick["eagle_input_ids"], tick["eagle_attention_mask"].bool(), policy.typed(tick["eagle_pixel_values"]))
        compare("seen", policy._groot_model.backbone(*seen))
    torch.manual_seed(7)
    chunk = policy.predict_action_chunk(tick)
    compare("chunk", chunk)
    compare("done", processors.postprocessor(chunk))
    batch = processors.preprocessor({**part(tensors, "batch"), "task": case["task"]})
    processed = part(theirs, "processed")
    assert {key for key, each in batch.items() if isinstance(each, torch.Tensor)} == set(processed)
    wrong += [f"processed.{key}" for key, each in processed.items() if not torch.equal(batch[key], each)]
    policy.train()
    torch.manual_seed(8)
    loss, _ = policy.forward(batch)
    loss.backward()
    compare("loss", loss)
    gradients = {name: each.grad for name, each in policy.named_parameters() if each.grad is not None}
    unused = {name for name in part(theirs, "grad") if "vision_model.head." in name}
    assert set(gradients) == set(part(theirs, "grad")) - unused
    for name, gradient in gradients.items():
        compare(f"grad.{name}", gradient)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-4)
    losses = []
    for step in range(3):
        torch.manual_seed(step)
        loss, _ = policy.forward(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    compare("curve", torch.stack(losses))
    return wrong


@pytest.mark.parametrize("saved_by", ["theirs", "ours"])
@pytest.mark.parametrize("index", range(CASES))
def test_policies_act_and_learn_alike(root: Path, index: int, saved_by: str) -> None:
    assert not differences(root / str(index), saved_by, 1e-5)


@pytest.mark.parametrize("index", range(CASES))
def test_files_have_the_same_names_types_and_shapes(root: Path, index: int) -> None:
    ours, theirs = (root / str(index) / name / "model.safetensors" for name in ("ours", "theirs"))
    assert described(ours) == described(theirs)


@pytest.mark.parametrize("index", range(CASES))
def test_a_new_policy_starts_from_the_base(root: Path, index: int) -> None:
    config = Checkpoint.at(root / str(index) / "theirs").config()
    weights, expected = config.build().state_dict(), load_file(root / str(index) / "based.safetensors")
    assert all(torch.equal(each, weights[name]) for name, each in expected.items() if "lm_head" not in name)


def test_settings_are_written_alike(root: Path) -> None:
    ours, theirs = (json.loads((root / "0" / name / "config.json").read_text()) for name in ("ours", "theirs"))
    assert list(ours) == list(theirs)
    assert ours == theirs

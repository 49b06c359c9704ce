"""GR00T N1.7 cross-loaded with huggingface/lerobot 0.6.1: 20 random small configurations, files both ways.

Processed batches must be equal; what Qwen3-VL hands on, losses, gradients, three optimizer steps and chunks, continued
ones too, must agree within 1e-5 of their largest element, and within 2e-2 in mixed precision, in which releases of
`transformers` round differently (with the same release on both sides it is 1e-4). Dropout, noise and times are drawn by
the same generators. Half of the bases say themselves how states and actions are scaled.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from exchange import Tensors, described, difference, part, run_peer, statistics
from safetensors.torch import load_file, save_file
from tiny_groot_n17 import nvidia_config, tiny_backbone, tiny_sizes, write_tiny_assets

from lerobot.core.config.rtc import RTCConfig
from lerobot.groot.n17.config import GrootConfig
from lerobot.groot.n17.policy import GrootPolicy
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.pipelines import load_processors, make_processors
from lerobot.policies.rtc.continuation import Continuation

# Twenty policies of another release are built first, each with its vision-language model.
pytestmark = [pytest.mark.peer, pytest.mark.timeout(1200)]

CASES, ROWS, JOINTS = 20, 3, 4
TASKS = ["Pick up the red_cube!", 'it\'s "there"\n', "öffne die Schublade", ""]
STATE = {"arm": 3, "gripper": 2}
ACTION = {"arm": 3, "gripper": 1}
MIXED = {3, 6, 11, 16}
"""Cases in mixed precision."""


def sizes(random: np.random.Generator, index: int) -> dict[str, Any]:
    found = tiny_sizes()
    heads = int(random.choice([2, 4]))
    found["backbone"] = tiny_backbone(heads=heads, patch=int(random.choice([4, 8])))
    found["layers"] = int(random.integers(1, 4))
    found["head"] |= {
        "reader": {"layers": int(random.integers(1, 3)), "heads": heads, "head_width": 32 // heads, "dropout": 0.2},
        "dit": {
            "layers": int(random.integers(1, 8)),
            "heads": 2,
            "head_width": int(random.choice([8, 12])),
            "dropout": float(random.choice([0.0, 0.2])),
        },
        "hidden": int(random.choice([16, 24])),
        "horizon": int(random.integers(4, 8)),
        "positions": 20,
        "steps": int(random.choice([1, 4, 7])),
        "text_every": 1 + index % 3,
        "state_dropout": 0.5 * (index % 2),
        "ramp_rate": float(random.choice([2.0, 6.0])),
    }
    return found


def settings(random: np.random.Generator, index: int, folder: Path, horizon: int) -> dict[str, Any]:
    return {
        "chunk_size": horizon,
        "n_action_steps": 3,
        "max_state_dim": int(random.choice([5, 8])),
        "max_action_dim": int(random.choice([JOINTS, 8])),
        "base_model_path": str(folder / "base"),
        "embodiment_tag": ["new_embodiment", "libero_sim", "simpler_env_google"][index % 3],
        "tune_llm": index % 6 == 1,
        "tune_visual": index % 6 == 2,
        "tune_projector": index % 6 != 3,
        "tune_diffusion_model": index % 6 != 4,
        "tune_vlln": index % 6 != 5,
        "tune_top_llm_layers": index % 5 == 2,
        "num_inference_timesteps": 2 if index % 7 == 3 else None,
        "rtc_ramp_rate": 3.0 if index % 7 == 4 else None,
        "use_bf16": index in MIXED,
        "action_decode_transform": "none" if index % 2 else "auto",
    }


def processing(
    random: np.random.Generator, index: int, tag: str, horizon: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`processor_config.json` and `statistics.json` of a base."""
    relative = index % 4 == 3

    def entry(width: int, steps: int | None = None) -> dict[str, Any]:
        low = random.normal(size=(width,) if steps is None else (steps, width)) - 2
        high = low + 4 * random.random(low.shape)
        names = {
            "min": low,
            "max": high,
            "q01": low + 0.1,
            "q99": high - 0.1,
            "mean": (low + high) / 2,
            "std": high - low,
        }
        return {name: value.astype(np.float32).tolist() for name, value in names.items()}

    stats = {
        "state": {name: entry(width) for name, width in STATE.items()},
        "action": {name: entry(width) for name, width in ACTION.items()},
        "relative_action": {"arm": entry(3, horizon if index % 8 == 3 else None)},
    }
    parts = {
        "state": {"modality_keys": list(STATE)},
        "action": {
            "modality_keys": list(ACTION),
            "delta_indices": list(range(horizon - 1)),
            "action_configs": [
                {
                    "rep": "RELATIVE" if relative else "ABSOLUTE",
                    "type": "NON_EEF",
                    "format": "DEFAULT",
                    "state_key": None,
                },
                {"rep": "ABSOLUTE", "type": "NON_EEF", "format": "DEFAULT", "state_key": None},
            ],
        },
        "video": {"modality_keys": ["wrist", "front"], "delta_indices": [0] * (1 + (index % 8 == 5))},
    }
    kwargs = {
        "modality_configs": {tag if index % 8 != 1 else "someone_else": parts},
        "use_percentiles": index % 8 == 5,
        "use_relative_action": relative,
        "clip_outliers": index % 8 != 7,
        "formalize_language": index % 8 != 3,
        "max_action_horizon": horizon + 1,
        "state_dropout_prob": 1.0 * (index % 8 == 7),
        "letter_box_transform": index % 8 in {5, 7},
        "use_albumentations": index % 4 == 1,
        "image_target_size": [32, 32],
        "image_crop_size": [28, 28],
        "shortest_image_edge": [None, 24, 40, 32][index % 4],
        "crop_fraction": 0.8 if index % 8 == 3 else None,
    }
    return {"processor_kwargs": kwargs}, {tag if index % 8 != 1 else "someone_else": stats}


def features(index: int) -> dict[str, Any]:
    names = ["wrist", "front"] if index % 2 else [["front"], ["b", "a", "c"]][index // 2 % 2]
    shape = [(3, 48, 60), (3, 41, 33)][index % 3 > 0]
    cameras = {f"observation.images.{name}": {"type": "VISUAL", "shape": shape} for name in names}
    return {**cameras, "observation.state": {"type": "STATE", "shape": (5,)}}


def data(seed: int, config: GrootConfig) -> Tensors:
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
    found["batch.action"] = torch.randn(ROWS, config.horizon, JOINTS)
    found["is_pad"] = (torch.arange(config.horizon) >= config.horizon - torch.tensor([[0], [1], [3]])).int()
    found["left"] = torch.randn(ROWS, 3, JOINTS)
    return found


def write_case(folder: Path, index: int) -> None:
    random = np.random.default_rng(index)
    drawn = sizes(random, index)
    horizon = drawn["head"]["horizon"]
    chosen = settings(random, index, folder, horizon)
    (folder / "base").mkdir(parents=True)
    write_tiny_assets(folder / "assets", backbone=drawn["backbone"], least=16 * 16 if index % 3 else 70 * 70)
    described = nvidia_config(drawn, chosen["max_state_dim"], chosen["max_action_dim"])
    files = {"config.json": {**described, "model_name": str(folder / "assets")}}
    if index % 2:
        said = processing(random, index, chosen["embodiment_tag"], horizon)
        files |= dict(zip(("processor_config.json", "statistics.json"), said, strict=True))
    for name, fields in files.items():
        (folder / "base" / name).write_text(json.dumps(fields))
    shapes = {"input_features": features(index), "output_features": {"action": {"type": "ACTION", "shape": (JOINTS,)}}}
    config = GrootConfig(device="cpu", push_to_hub=False, vlm_assets=str(folder / "assets"), **shapes, **chosen)
    tensors = data(index, config)
    torch.manual_seed(100 + index)
    policy: GrootPolicy = config.build(from_scratch=False)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)
    PolicyWithProcessors(policy, make_processors(config, statistics(tensors))).save_pretrained(folder / "ours")
    save_file(tensors, folder / "data.safetensors")
    task = [TASKS[index % len(TASKS)]] * ROWS
    case = {**shapes, "settings": chosen, "seed": index, "task": task, "delay": index % 4}
    (folder / "case.json").write_text(json.dumps(case))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("groot")
    for index in range(CASES):
        write_case(folder / str(index), index)
    run_peer("peer_groot.py", folder)
    return folder


def loaded(folder: Path, saved_by: str) -> PolicyWithProcessors:
    checkpoint = Checkpoint.at(folder / saved_by)
    return PolicyWithProcessors(
        PreTrainedPolicy.from_pretrained(folder / saved_by), load_processors(checkpoint.config(), checkpoint)
    )


def differences(folder: Path, saved_by: str, tolerance: float) -> list[str]:
    """What a policy does otherwise than the peer does with the same weights, each with its difference."""
    pair, case = loaded(folder, saved_by), json.loads((folder / "case.json").read_text())
    tensors, theirs = load_file(folder / "data.safetensors"), load_file(folder / f"{saved_by}.safetensors")
    wrong = []

    def compare(name: str, ours: torch.Tensor) -> None:
        error = difference(ours.detach(), theirs[name])
        if not error <= tolerance:
            wrong.append(f"{name} {error:.2e}")

    def compare_batch(name: str, batch: dict[str, Any]) -> None:
        expected = part(theirs, name)
        assert {key for key, each in batch.items() if isinstance(each, torch.Tensor)} == set(expected)
        wrong.extend(f"{name}.{key}" for key, each in expected.items() if not torch.equal(batch[key], each))

    policy, processors, task = pair.policy, pair.processors, {"task": case["task"]}
    assert isinstance(policy, GrootPolicy)
    tick = processors.preprocessor({**part(tensors, "tick"), **task})
    compare_batch("seen", tick)
    with torch.no_grad(), policy.mixed():
        present, patches = tick["attention_mask"].bool(), policy.typed(tick["pixel_values"])
        seen = policy._groot_model.backbone(tick["input_ids"], present, patches, tick["image_grid_thw"])
    compare("features", seen)
    # There, chunks have no more actions than are executed.
    steps = case["settings"]["n_action_steps"]
    torch.manual_seed(7)
    chunk = policy.predict_action_chunk(tick)[:, :steps]
    compare("chunk", chunk)
    compare("done", processors.postprocessor(chunk))
    torch.manual_seed(9)
    settings = RTCConfig(execution_horizon=100)
    continued = policy.continue_action_chunk(tick, Continuation(tensors["left"], case["delay"], settings))
    compare("continued", continued[:, :steps])
    torch.manual_seed(8)
    learned = {**part(tensors, "batch"), **task, "action_is_pad": tensors["is_pad"].bool()}
    batch = processors.preprocessor(learned)
    compare_batch("processed", batch)
    policy.train()
    torch.manual_seed(8)
    loss, _ = policy.forward(batch)
    loss.backward()
    compare("loss", loss)
    gradients = {name: each.grad for name, each in policy.named_parameters() if each.grad is not None}
    assert set(gradients) == set(part(theirs, "grad"))
    for name, gradient in gradients.items():
        compare(f"grad.{name}", gradient)
    optimizer = torch.optim.AdamW(policy.parameter_groups(), lr=1e-3, weight_decay=0.1)
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
    assert not differences(root / str(index), saved_by, 2e-2 if index in MIXED else 1e-5)


@pytest.mark.parametrize("index", range(CASES))
def test_files_have_the_same_names_types_and_shapes(root: Path, index: int) -> None:
    ours, theirs = (root / str(index) / name / "model.safetensors" for name in ("ours", "theirs"))
    assert described(ours) == described(theirs)


@pytest.mark.parametrize("index", range(CASES))
def test_a_new_policy_starts_from_the_base(root: Path, index: int) -> None:
    config = Checkpoint.at(root / str(index) / "theirs").config()
    weights, expected = config.build().state_dict(), load_file(root / str(index) / "based.safetensors")
    assert all(torch.equal(each, weights[name]) for name, each in expected.items())


@pytest.mark.parametrize("index", range(CASES))
def test_settings_are_written_alike(root: Path, index: int) -> None:
    """But for what is written down that the peer looks up in the base each time."""
    ours, theirs = (json.loads((root / str(index) / name / "config.json").read_text()) for name in ("ours", "theirs"))
    for name in ("network", "vlm_assets"):
        del ours[name]
    assert list(ours) == list(theirs)
    case = json.loads((root / str(index) / "case.json").read_text())["settings"]
    assert {**ours, **{name: case[name] for name in ("chunk_size", "n_action_steps")}} == theirs


@pytest.mark.parametrize("name", ["policy_preprocessor", "policy_postprocessor"])
@pytest.mark.parametrize("index", range(CASES))
def test_processors_are_written_alike(root: Path, index: int, name: str) -> None:
    ours, theirs = (
        json.loads((root / str(index) / each / f"{name}.json").read_text())["steps"] for each in ("ours", "theirs")
    )
    assert [each["registry_name"] for each in ours] == [each["registry_name"] for each in theirs]
    for own, other in zip(ours, theirs, strict=True):
        # Ours lies beside the file.
        for config in (own["config"], other["config"]):
            config.pop("model_name", None)
        assert own["config"] == other["config"]

"""How fast policies learn and act, against the peer's, in one run, with the same weights on the same batches.

Usage: bench_policies.py [KIND ...]      (LEROBOT_PEER_PYTHON names the peer's interpreter, with diffusers)

Networks have the published sizes for PushT, and Multi-Task DiT those of its transformer under smaller encoders. Both
sides run in turns, one thread each, so that a busy machine slows both; times are those of the processor. A step of
training is loss, gradients, clipping and Adam on a batch of 64, or of 8; acting is `select_action` for one robot when a
new chunk or plan is due, with ten levels of noise, or ten steps.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measure import table
from safetensors.torch import load_file, save_file

ROUNDS, ROWS, TICKS = 3, 64, 12
WARM_UP = 3
"""First steps, which are not counted: they take memory and choose kernels, and the first of VQ-BeT may learn codes."""
STATE, ACTION = {"type": "STATE", "shape": (2,)}, {"type": "ACTION", "shape": (2,)}
PICTURES = {"observation.image": {"type": "VISUAL", "shape": (3, 96, 96)}, "observation.state": STATE}
STATES = {"observation.state": STATE, "observation.environment_state": {"type": "ENV", "shape": (16,)}}
DIFFUSION = {
    "horizon": 16,
    "n_action_steps": 8,
    "use_group_norm": True,
    "use_separate_rgb_encoder_per_camera": False,
    "num_inference_steps": 10,
}
DIT = {"image_crop_shape": None, "num_inference_steps": 10, "num_integration_steps": 10}
KINDS: dict[str, dict[str, Any]] = {
    "diffusion, states": {"type": "diffusion", "inputs": STATES, "settings": DIFFUSION, "steps": 3},
    "diffusion, pictures": {
        "type": "diffusion",
        "inputs": PICTURES,
        "settings": {**DIFFUSION, "crop_shape": (84, 84)},
        "steps": 3,
    },
    "vqbet, codes": {"type": "vqbet", "inputs": PICTURES, "settings": {"use_group_norm": True}, "steps": 20},
    # After one step codes are learned.
    "vqbet, behaviour": {
        "type": "vqbet",
        "inputs": PICTURES,
        "settings": {"use_group_norm": True, "n_vqvae_training_steps": 1},
        "steps": 3,
    },
    "tdmpc, states": {"type": "tdmpc", "inputs": STATES, "settings": {}, "steps": 3},
    "tdmpc, pictures": {"type": "tdmpc", "inputs": PICTURES, "settings": {}, "steps": 3},
    "multi_task_dit, diffusion": {"type": "multi_task_dit", "inputs": PICTURES, "settings": DIT, "steps": 3, "rows": 8},
    "multi_task_dit, flow": {
        "type": "multi_task_dit",
        "inputs": PICTURES,
        "settings": {**DIT, "objective": "flow_matching"},
        "steps": 3,
        "rows": 8,
    },
}
CHANNELS_LAST = ", channels last"
"""Of what learns from pictures: with this at the end of its name, our side learns with `--channels_last=true`."""
KINDS |= {
    name + CHANNELS_LAST: kind
    for name, kind in KINDS.items()
    if kind["inputs"] is PICTURES and not name.endswith("codes") and kind["type"] not in {"multi_task_dit", "tdmpc"}
}


def batch(config: Any, rows: int) -> dict[str, torch.Tensor]:
    """A batch to learn from."""
    torch.manual_seed(0)
    seen, actions = len(config.observation_delta_indices), len(config.action_delta_indices)
    found = {key: torch.rand(rows, seen, *each.shape) for key, each in config.input_features.items()}
    found["action"] = torch.rand(rows, actions, 2) * 2 - 1
    if config.type == "multi_task_dit":
        found["observation.language.tokens"] = torch.arange(77).expand(rows, -1) + 100
        found["observation.language.attention_mask"] = torch.ones(rows, 77, dtype=torch.bool)
    if config.type == "tdmpc":
        found |= {"next.reward": torch.rand(rows, actions), "index": torch.arange(rows)}
        found["next.reward_is_pad"] = torch.zeros(rows, actions, dtype=torch.bool)
        found["observation.state_is_pad"] = torch.zeros(rows, seen, dtype=torch.bool)
    return {**found, "action_is_pad": torch.zeros(rows, actions, dtype=torch.bool)}


def clip(folder: Path) -> str:
    """Encoders with random weights, in a folder that both sides read."""
    import transformers

    size = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 6, "num_attention_heads": 4}
    config = transformers.CLIPConfig(
        text_config={**size, "vocab_size": 1000}, vision_config={**size, "image_size": 96, "patch_size": 16}
    )
    transformers.CLIPModel(config).save_pretrained(folder)
    return str(folder)


def ours(kind: dict[str, Any], folder: Path) -> tuple[Any, Any]:
    """Our policy and optimizer; the policy is saved for the peer."""
    from lerobot.core.registry import registry
    from lerobot.policies.policy import PreTrainedPolicy
    from lerobot.training.optim.optimizers import optimizer_preset

    if not (folder / "config.json").exists():
        if kind["type"] == "multi_task_dit":
            begun = dict.fromkeys(("vision_encoder_name", "text_encoder_name"), clip(folder / "clip"))
        else:
            begun = {} if kind["type"] == "tdmpc" else {"pretrained_backbone_weights": None}
        config = registry.config_class("policy", kind["type"])(
            input_features=kind["inputs"],
            output_features={"action": ACTION},
            device="cpu",
            **begun,
            **kind["settings"],
        )
        policy = config.build()
        if kind["type"] == "tdmpc":
            with torch.no_grad():
                for parameter in policy.parameters():
                    # Nothing is better than anything else where all that judges plans is 0.
                    parameter += 0.02 * torch.randn_like(parameter)
        policy.save_pretrained(folder)
    policy = PreTrainedPolicy.from_pretrained(folder)
    return policy, optimizer_preset(policy.config).build(policy=policy)


def peer(kind: dict[str, Any], folder: Path) -> tuple[Any, Any]:
    """The peer's policy with our weights, and its optimizer."""
    if kind["type"] == "diffusion":
        from lerobot.policies.diffusion.modeling_diffusion import DiffusionPolicy as PeerPolicy
    elif kind["type"] == "tdmpc":
        from lerobot.policies.tdmpc.modeling_tdmpc import TDMPCPolicy as PeerPolicy
    elif kind["type"] == "multi_task_dit":
        from lerobot.policies.multi_task_dit.modeling_multi_task_dit import MultiTaskDiTPolicy as PeerPolicy
    else:
        from lerobot.policies.vqbet.modeling_vqbet import VQBeTPolicy as PeerPolicy
    policy = PeerPolicy.from_pretrained(folder, strict=True)
    return policy, policy.config.get_optimizer_preset().build(policy.get_optim_params())


def measure(side: str, name: str, folder: Path) -> None:
    """Measure one side, and save what it computed; runs in a process of its own."""
    torch.set_num_threads(1)
    kind = KINDS[name]
    make = {"ours": ours, "peer": peer}[side]
    policy, _ = make(kind, folder)
    policy.eval()
    learned_from = batch(policy.config, kind.get("rows", ROWS))
    seen = {
        key: value[:1] if "language" in key else value[:1, 0]
        for key, value in learned_from.items()
        if key.startswith("observation") and not key.endswith("_is_pad")
    }
    actions, acting = [], []
    for _ in range(TICKS):
        policy.reset()
        torch.manual_seed(2)
        started = time.process_time()
        actions.append(policy.select_action(dict(seen)))
        acting.append(time.process_time() - started)
    del policy
    policy, optimizer = make(kind, folder)
    if side == "ours":
        from lerobot.training.assembly import put_channels_last
        from lerobot.training.freed_memory import keep_freed_memory

        # As `lerobot train` does.
        keep_freed_memory()
        if name.endswith(CHANNELS_LAST):
            put_channels_last(policy)
    policy.train()
    losses, steps = [], []
    for _ in range(WARM_UP + kind["steps"]):
        torch.manual_seed(1)
        np.random.seed(1)
        started = time.process_time()
        loss, _ = policy.forward(learned_from)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 10.0)
        optimizer.step()
        optimizer.zero_grad()
        steps.append(time.process_time() - started)
        losses.append(loss.detach())
    save_file({"loss": losses[0], "action": actions[0]}, folder / f"{side}.safetensors")
    times = {"train": statistics.median(steps[WARM_UP:]), "act": statistics.median(acting[1:])}
    sys.stdout.write("TIMES" + json.dumps(times))


def main() -> None:
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
        return
    sides = {"ours": sys.executable}
    if python := os.environ.get("LEROBOT_PEER_PYTHON"):
        sides["peer"] = python
    rows = []
    for name in sys.argv[1:] or KINDS:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            found: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
            for _ in range(ROUNDS):
                for side, interpreter in sides.items():
                    command = [interpreter, "-W", "ignore", __file__, "--measure", side, name, temporary]
                    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
                    output = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
                    found[side].append(json.loads(output.stdout.rpartition("TIMES")[2]))
            typical = {
                side: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
                for side, runs in found.items()
            }
            row = [name, *(f"{KINDS[name].get('rows', ROWS) / typical[side]['train']:.1f}" for side in sides)]
            if len(sides) == 2:
                values = [load_file(folder / f"{side}.safetensors") for side in sides]
                row.append(f"{typical['peer']['train'] / typical['ours']['train']:.2f}")
                loss, action = (float((values[0][key] - values[1][key]).abs().max()) for key in ("loss", "action"))
                largest = max(1.0, float(values[1]["loss"]))
            row += [f"{1000 * typical[side]['act']:.0f}" for side in sides]
            if len(sides) == 2:
                row += [
                    f"{typical['ours']['act'] / typical['peer']['act']:.2f}",
                    f"{loss / largest:.0e}",
                    f"{action:.0e}",
                ]
            rows.append(row)
    ratio = len(sides) == 2
    table(
        rows,
        [
            "policy",
            *(f"{side} samples/s" for side in sides),
            *(["ratio"] if ratio else []),
            *(f"{side} ms to act" for side in sides),
            *(["ratio", "loss differs", "action differs"] if ratio else []),
        ],
    )


if __name__ == "__main__":
    main()

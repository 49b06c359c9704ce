"""How fast X-VLA and GR00T N1.5 act, against the peer's releases that have them, with the same weights and numbers.

Usage: bench_vla_acting.py [KIND ...]      (LEROBOT_PEER_PYTHON names the interpreter of huggingface/lerobot 0.6 with
transformers 5.4 or 5.5, for X-VLA; LEROBOT_PEER_044_PYTHON that of 0.4.4, for GR00T N1.5)

As in bench_vla_policies.py: small sizes and a medium one, both sides in turns on one thread each, processor time,
medians of all rounds. Acting is one chunk for one robot with two cameras, from inputs that are processed already.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from bench_vla_policies import ROUNDS, Side
from measure import table
from safetensors.torch import load_file, save_file

TESTS = Path(__file__).parents[2] / "packages"
CHUNKS = {"small": 6, "medium": 3}
"""In a round."""
PEERS = {"xvla": "LEROBOT_PEER_PYTHON", "groot_n15": "LEROBOT_PEER_044_PYTHON"}
KINDS = ["xvla, small", "groot_n15, small", "groot_n15, medium"]
FEATURES = {
    "input_features": {
        "observation.images.front": {"type": "VISUAL", "shape": (3, 96, 128)},
        "observation.images.wrist": {"type": "VISUAL", "shape": (3, 96, 128)},
        "observation.state": {"type": "STATE", "shape": (5,)},
    },
    "output_features": {"action": {"type": "ACTION", "shape": (4,)}},
}


def xvla_settings(_size: str, folder: Path) -> dict[str, Any]:
    """Settings of an X-VLA, whose files are written."""
    from tiny_xvla import tiny_settings, write_tiny_bart_tokenizer

    write_tiny_bart_tokenizer(folder / "words")
    changes: dict[str, Any] = {"num_denoising_steps": 10, "chunk_size": 30, "n_action_steps": 30}
    return {**tiny_settings(folder / "words"), **changes, **FEATURES}


def groot_sizes(size: str) -> dict[str, Any]:
    """Sizes of a GR00T N1.5."""
    from tiny_groot import tiny_sizes

    found = tiny_sizes(horizon=16, positions=20)
    if size == "medium":
        vision = {"width": 192, "hidden": 768, "layers": 4, "heads": 3, "image": 112, "patch": 14}
        text = {"width": 256, "hidden": 768, "layers": 6, "heads": 4, "key_heads": 2, "head_width": 64}
        found["eagle"]["vision"], found["eagle"]["text"] = vision, {**found["eagle"]["text"], **text}
        blocks = {"heads": 4, "head_width": 64, "dropout": 0.1}
        found["head"] |= {"reader": {"layers": 4, **blocks}, "dit": {"layers": 8, **blocks}, "hidden": 256}
        found["head"] |= {"future_tokens": 32}
    return found


def groot_settings(size: str, folder: Path) -> dict[str, Any]:
    """Settings of a GR00T N1.5, whose files are written."""
    from tiny_groot import nvidia_config, tiny_settings, write_tiny_assets

    sizes = groot_sizes(size)
    write_tiny_assets(folder / "assets", sizes)
    (folder / "base").mkdir()
    (folder / "base/config.json").write_text(json.dumps(nvidia_config(sizes, 10, 8)))
    changes = {"network": None, "base_model_path": str(folder / "base"), "chunk_size": 16, "n_action_steps": 16}
    settings = {**tiny_settings(folder / "assets"), **changes, **FEATURES}
    # That release refuses the field.
    del settings["load_base_weights"]
    return settings


def ours(name: str, size: str, folder: Path) -> Any:
    """Our policy, saved for the peer with weights that hide nothing, and an observation."""
    for package in ("groot", "xvla"):
        sys.path.append(str(TESTS / f"lerobot-{package}/tests"))
    from lerobot.groot.config import EarlierGrootConfig
    from lerobot.groot.modeling import HEAD, TABLE
    from lerobot.policies.policy import PreTrainedPolicy
    from lerobot.policies.processing.pipelines import make_processors
    from lerobot.policies.testing import statistics as dataset_statistics
    from lerobot.xvla.config import XVLAConfig

    made = {"xvla": (XVLAConfig, xvla_settings), "groot_n15": (EarlierGrootConfig, groot_settings)}
    config_class, settings = made[name]
    config = config_class(**settings(size, folder))
    torch.manual_seed(0)
    policy = config.build(from_scratch=False)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.02)
    policy.save_pretrained(folder)
    if name == "groot_n15":
        weights = load_file(folder / "model.safetensors")
        bare = {key.removeprefix("_groot_model."): each for key, each in weights.items()}
        # A base has the table of tokens under its own name.
        bare[TABLE] = bare.pop(HEAD)
        save_file(bare, folder / "base/model.safetensors", metadata={"format": "pt"})
    observation = {key: torch.rand(1, *each["shape"]) for key, each in FEATURES["input_features"].items()}
    processed = make_processors(config, dataset_statistics(config)).preprocessor(
        {**observation, "task": ["pick it up"]}
    )
    tensors = {key: each.contiguous() for key, each in processed.items() if isinstance(each, torch.Tensor)}
    save_file(tensors, folder / "seen.safetensors")
    return PreTrainedPolicy.from_pretrained(folder)


def peer_groot(folder: Path) -> Any:
    """The policy of release 0.4.4: nothing is fetched, and its vision-language model needs no flash attention."""
    from lerobot.policies.groot import groot_n1
    from lerobot.policies.groot.eagle2_hg_model.configuration_eagle2_5_vl import Eagle25VLConfig
    from lerobot.policies.groot.eagle2_hg_model.modeling_eagle2_5_vl import Eagle25VLForConditionalGeneration
    from lerobot.policies.groot.modeling_groot import GrootPolicy
    from transformers import Qwen3ForCausalLM, SiglipVisionModel

    def eagle(config: Any, **_: object) -> Any:
        for each in (config, config.vision_config, config.text_config):
            each._attn_implementation = "sdpa"
        vision, text = SiglipVisionModel(config.vision_config), Qwen3ForCausalLM(config.text_config)
        return Eagle25VLForConditionalGeneration(config, vision, text)

    fields = json.loads((folder / "assets/config.json").read_text())
    groot_n1.AutoConfig = SimpleNamespace(from_pretrained=lambda *_, **__: Eagle25VLConfig(**fields))
    groot_n1.AutoModel = SimpleNamespace(from_config=eagle)
    groot_n1.ensure_eagle_cache_ready = lambda *_: None
    return GrootPolicy.from_pretrained(folder, strict=True)


def peer(name: str, folder: Path) -> Any:
    """The peer's policy with our weights; it runs under the peer's interpreter."""
    if name == "groot_n15":
        return peer_groot(folder)
    from lerobot.policies.xvla.modeling_xvla import XVLAPolicy

    return XVLAPolicy.from_pretrained(folder, strict=True)


def measure(side: str, kind: str, folder: Path) -> None:
    """Measure one side, a round for each line that is read; runs in a process of its own."""
    torch.set_num_threads(1)
    name, size = kind.split(", ")
    policy = ours(name, size, folder) if side == "ours" else peer(name, folder)
    policy.eval()
    seen = load_file(folder / "seen.safetensors")

    def act() -> tuple[float, torch.Tensor]:
        torch.manual_seed(3)
        started = time.process_time()
        with torch.no_grad():
            chunk = policy.predict_action_chunk(dict(seen))
        return time.process_time() - started, chunk

    # The first takes memory and chooses kernels; it is compared, and not counted.
    save_file({"chunk": act()[1].contiguous()}, folder / f"{side}.safetensors")
    sys.stdout.write(f"READY{json.dumps(sum(each.numel() for each in policy.parameters()))}\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        sys.stdout.write(f"TIMES{json.dumps({'act': [act()[0] for _ in range(CHUNKS[size])]})}\n")
        sys.stdout.flush()


def row(kind: str) -> list[object]:
    """Measure a kind in turns."""
    interpreters = {"ours": sys.executable}
    if python := os.environ.get(PEERS[kind.partition(",")[0]]):
        interpreters["peer"] = python
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "policy"
        folder.mkdir()
        # One after the other: the peer loads what our side saves.
        sides = {
            name: Side(interpreter, name, kind, folder, Path(__file__)) for name, interpreter in interpreters.items()
        }
        found: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(ROUNDS):
            for name, side in sides.items():
                found[name] += side.round()["act"]
        for side in sides.values():
            side.close()
        typical = [1000 * statistics.median(each) for each in found.values()]
        cells: list[object] = [kind, f"{sides['ours'].weights / 1e6:.1f} M", *(f"{each:.1f}" for each in typical)]
        if len(sides) == 2:
            first, second = (load_file(folder / f"{name}.safetensors")["chunk"] for name in sides)
            cells += [f"{typical[0] / typical[1]:.2f}", f"{float((first - second).abs().max()):.0e}"]
        return cells


def main() -> None:
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
        return
    header = ["policy", "weights", "ours ms/chunk", "peer ms/chunk", "ratio", "chunk differs"]
    for kind in sys.argv[1:] or KINDS:
        cells = row(kind)
        table([cells], header[: len(cells)])
        sys.stdout.flush()


if __name__ == "__main__":
    main()

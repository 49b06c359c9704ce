"""How fast vision-language-action models learn and act, against the peer's, with the same weights and numbers.

Usage: bench_vla_policies.py [KIND ...]      (LEROBOT_PEER_PYTHON names the peer's interpreter, transformers 5.4 or 5.5)

Sizes are small and medium: the published ones are for GPUs. Both sides run in turns, one thread each; times are those
of the processor, the median of all rounds. A step of training is loss, gradients, clipping and AdamW of all parameters
that learn; acting is one chunk for one robot with two cameras, ten steps from noise to actions.
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

import torch
from measure import table
from safetensors.torch import load_file, save_file

INTEROP = Path(__file__).parents[1] / "interop"
ROUNDS = 4
SMALL_ONLY = ("paligemma", "action_expert", "text_tokenizer_name")
"""Fields that the peer's configurations do not know."""
Size = dict[str, Any]


def decoder(width: int, hidden: int, layers: int, heads: int, key_heads: int, head_width: int) -> Size:
    """Sizes of a decoder."""
    shape = {"heads": heads, "key_heads": key_heads, "head_width": head_width}
    return {"width": width, "hidden": hidden, "layers": layers, **shape}


VISION = {
    "small": {"width": 32, "hidden": 64, "layers": 2, "heads": 2, "image": 64, "patch": 16},
    "medium": {"width": 192, "hidden": 768, "layers": 4, "heads": 3, "image": 128, "patch": 16},
}
TEXT = {
    "smolvla": {"small": decoder(48, 96, 4, 4, 2, 12), "medium": decoder(320, 864, 8, 5, 5, 64)},
    "pi": {"small": decoder(48, 96, 2, 8, 1, 8), "medium": decoder(256, 1024, 6, 8, 1, 32)},
}
EXPERT = {"small": decoder(32, 64, 2, 8, 1, 8), "medium": decoder(128, 512, 6, 8, 1, 32)}
VOCABULARY = 1000
ROWS = {"small": 8, "medium": 4}
STEPS = {"small": 5, "medium": 2}
"""Chunks, and steps of training, in a round."""
KINDS = [f"{name}, {size}" for name in ("smolvla", "pi0", "pi05") for size in ROWS]


def settings(name: str, size: str, folder: Path) -> dict[str, Any]:
    """Settings of our policy of a kind."""
    image = VISION[size]["image"]
    shared = {"chunk_size": 50, "n_action_steps": 50}
    if name == "smolvla":
        return {**shared, "vlm_model_name": str(folder / "vlm"), "num_vlm_layers": 0, "num_steps": 10} | {
            "resize_imgs_with_padding": (image, image)
        }
    text = {**TEXT["pi"][size], "vocabulary": VOCABULARY}
    networks = {"paligemma": {"vision": VISION[size], "text": text}, "action_expert": EXPERT[size]}
    return {**shared, **networks, "image_resolution": (image, image), "num_inference_steps": 10}


def write_vlm(folder: Path, size: str) -> None:
    """Write the `config.json` of a vision-language model, from which both sides read its sizes."""
    text, vision = TEXT["smolvla"][size], VISION[size]
    folder.mkdir(exist_ok=True)
    fields = {
        "model_type": "smolvlm",
        "architectures": ["SmolVLMForConditionalGeneration"],
        "text_config": {
            "model_type": "llama",
            "vocab_size": VOCABULARY,
            "hidden_size": text["width"],
            "intermediate_size": text["hidden"],
            "num_hidden_layers": text["layers"],
            "num_attention_heads": text["heads"],
            "num_key_value_heads": text["key_heads"],
            "head_dim": text["head_width"],
            "rms_norm_eps": 1e-5,
            "pad_token_id": 0,
            "dtype": "float32",
        },
        "vision_config": {
            "model_type": "smolvlm_vision",
            "hidden_size": vision["width"],
            "intermediate_size": vision["hidden"],
            "num_hidden_layers": vision["layers"],
            "num_attention_heads": vision["heads"],
            "image_size": vision["image"],
            "patch_size": vision["patch"],
        },
        "scale_factor": 2,
        "image_token_id": 5,
        "pad_token_id": 0,
        "tie_word_embeddings": False,
    }
    (folder / "config.json").write_text(json.dumps(fields))


def ours(name: str, size: str, folder: Path) -> Any:
    """Our policy, saved for the peer with weights that hide nothing."""
    from lerobot.core.registry import registry
    from lerobot.policies.policy import PreTrainedPolicy

    if not (folder / "config.json").exists():
        write_vlm(folder / "vlm", size)
        camera = {"type": "VISUAL", "shape": (3, 96, 128)}
        config = registry.config_class("policy", name)(
            input_features={
                "observation.images.front": camera,
                "observation.images.wrist": camera,
                "observation.state": {"type": "STATE", "shape": (6,)},
            },
            output_features={"action": {"type": "ACTION", "shape": (6,)}},
            device="cpu",
            **settings(name, size, folder),
        )
        torch.manual_seed(0)
        policy = config.build()
        with torch.no_grad():
            for parameter in policy.parameters():
                parameter.add_(torch.randn(parameter.shape) * 0.02)
        policy.save_pretrained(folder)
    return PreTrainedPolicy.from_pretrained(folder)


def peer(name: str, size: str, folder: Path) -> Any:
    """The peer's policy with our weights; it runs under the peer's interpreter."""
    sys.path.append(str(INTEROP))
    from peer_flow_vla import config_of
    from peer_small import prepare_pi, prepare_smolvla

    if name == "smolvla":
        from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy as PeerPolicy

        prepare_smolvla()
    else:
        PeerPolicy = getattr(prepare_pi(name, settings(name, size, folder)), f"{name.upper()}Policy")
    # The folder is made anew in every process.
    with tempfile.TemporaryDirectory() as aside:
        saved = Path(aside) / "saved"
        saved.symlink_to(folder)
        return PeerPolicy.from_pretrained(folder, config=config_of(saved, SMALL_ONLY), strict=True)


def batch(rows: int, *, learning: bool) -> dict[str, Any]:
    """Numbers, the same on both sides."""
    random = torch.Generator().manual_seed(1)
    found: dict[str, Any] = {
        f"observation.images.{camera}": torch.rand(rows, 3, 96, 128, generator=random) for camera in ("front", "wrist")
    }
    found["observation.state"] = torch.randn(rows, 6, generator=random)
    found["observation.language.tokens"] = torch.randint(6, 900, (rows, 48), generator=random)
    found["observation.language.attention_mask"] = torch.arange(48).expand(rows, -1) < 12
    if learning:
        found["action"] = torch.randn(rows, 50, 6, generator=random)
        found["action_is_pad"] = torch.zeros(rows, 50, dtype=torch.bool)
    return found


def loss_of(policy: Any, side: str, name: str, learned_from: dict[str, Any], noise: Any, times: Any) -> Any:
    """The loss for given noise and times."""
    if side == "peer" and name != "smolvla":
        policy.model.sample_noise = lambda *_: noise
        policy.model.sample_time = lambda *_: times
        return policy.forward(dict(learned_from))[0]
    return policy.forward(dict(learned_from), noise=noise, time=times)[0]


class Turns:
    """Learns and acts when it is its side's turn.

    Args:
        side: ours or the peer's.
        kind: policy and size.
        folder: with our policy; our side makes it.
    """

    def __init__(self, side: str, kind: str, folder: Path) -> None:
        self._name, self.size = kind.split(", ")
        self._side = side
        self.policy = {"ours": ours, "peer": peer}[side](self._name, self.size, folder)
        rows = ROWS[self.size]
        random = torch.Generator().manual_seed(2)
        self._noise, self._times = torch.randn(rows, 50, 32, generator=random), torch.rand(rows, generator=random)
        self._learned_from = batch(rows, learning=True)
        self._learning = [each for each in self.policy.parameters() if each.requires_grad]
        self._optimizer = torch.optim.AdamW(self._learning, lr=1e-4)

    def act(self) -> tuple[float, torch.Tensor]:
        """Seconds of a chunk, and the chunk."""
        seen = batch(1, learning=False)
        self.policy.eval()
        started = time.process_time()
        with torch.no_grad():
            chunk = self.policy.predict_action_chunk(seen, noise=self._noise[:1].clone())
        return time.process_time() - started, chunk

    def learn(self) -> tuple[float, torch.Tensor]:
        """Seconds of a step, and the loss."""
        self.policy.train()
        started = time.process_time()
        loss = loss_of(self.policy, self._side, self._name, self._learned_from, self._noise, self._times)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._learning, 10.0)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return time.process_time() - started, loss.detach()


def measure(side: str, kind: str, folder: Path) -> None:
    """Measure one side, a round for each line that is read; runs in a process of its own."""
    torch.set_num_threads(1)
    turns = Turns(side, kind, folder)
    if side == "ours":
        from lerobot.training.freed_memory import keep_freed_memory

        # As `lerobot train` does.
        keep_freed_memory()
    # The first of each takes memory and chooses kernels; it is compared, and not counted.
    save_file({"chunk": turns.act()[1].contiguous(), "loss": turns.learn()[1]}, folder / f"{side}.safetensors")
    weights = sum(each.numel() for each in turns.policy.parameters())
    sys.stdout.write(f"READY{json.dumps(weights)}\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        found = {
            "act": [turns.act()[0] for _ in range(STEPS[turns.size])],
            "train": [turns.learn()[0] for _ in range(STEPS[turns.size])],
        }
        sys.stdout.write(f"TIMES{json.dumps(found)}\n")
        sys.stdout.flush()


class Side:
    """The process of one side: of a program that measures on `--measure`."""

    def __init__(self, interpreter: str, side: str, kind: str, folder: Path, program: Path = Path(__file__)) -> None:
        command = [interpreter, "-W", "ignore", str(program), "--measure", side, kind, str(folder)]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.weights: int = self._read("READY")

    def round(self) -> dict[str, list[float]]:
        """Let it work, and say how long each piece took."""
        assert self._process.stdin
        self._process.stdin.write("go\n")
        found: dict[str, list[float]] = self._read("TIMES")
        return found

    def close(self) -> None:
        """End it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def _read(self, word: str) -> Any:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith(word):
                return json.loads(line.removeprefix(word))
        raise SystemExit("a side ended early; what it said stands above")


def row(kind: str, interpreters: dict[str, str]) -> list[object]:
    """Measure a kind in turns."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "policy"
        folder.mkdir()
        # One after the other: the peer loads what our side saves.
        sides = {name: Side(interpreter, name, kind, folder) for name, interpreter in interpreters.items()}
        found: dict[str, dict[str, list[float]]] = {name: {"train": [], "act": []} for name in sides}
        for _ in range(ROUNDS):
            for name, side in sides.items():
                for what, each in side.round().items():
                    found[name][what].extend(each)
        for side in sides.values():
            side.close()
        cells: list[object] = [kind, f"{sides['ours'].weights / 1e6:.1f} M"]
        for what in ("train", "act"):
            typical = [statistics.median(each[what]) for each in found.values()]
            cells += [f"{1000 * each:.0f}" for each in typical]
            cells += [f"{typical[0] / typical[1]:.2f}"] if len(typical) == 2 else []
        if len(sides) == 2:
            values = [load_file(folder / f"{name}.safetensors") for name in sides]
            cells += [f"{float((values[0][key] - values[1][key]).abs().max()):.0e}" for key in ("loss", "chunk")]
        return cells


def main() -> None:
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
        return
    sides = {"ours": sys.executable}
    if python := os.environ.get("LEROBOT_PEER_PYTHON"):
        sides["peer"] = python
    ratio = ["ratio"] if len(sides) == 2 else []
    header = ["policy", "weights", *(f"{side} ms/step" for side in sides), *ratio]
    header += [*(f"{side} ms/chunk" for side in sides), *ratio]
    header += ["loss differs", "chunk differs"] if ratio else []
    # Each as soon as it is there: all take a while.
    for kind in sys.argv[1:] or KINDS:
        table([row(kind, sides)], header)
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""What one GPU does with the policies: learning, loading, acting, resuming, exporting, and agreement with the CPU.

    python tests/benchmarks/gpu_session.py [--device cuda] [--size published|small] [--seconds 360]

Nothing is downloaded: weights are random, and a dataset is recorded first. Sections stand in the order of their
importance; what would begin after `--seconds` is left out, and said to be. Ends with 1 if anything failed or was
left out. `--device cpu --size small` shows on any machine that the script itself works.
"""

import argparse
import csv
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from bench_training import record
from measure import run, script, table
from torch.overrides import TorchFunctionMode

WARM_UP = 3
"""First steps, which are not counted: they take memory and choose kernels."""
TOLERANCE = 1e-3
"""Largest difference between devices, of the largest element: float32 without TF32 loses about 1e-6 in a layer."""
STATE, ACTION = {"type": "STATE", "shape": (6,)}, {"type": "ACTION", "shape": (6,)}
SMALL_TEXT = {"width": 32, "hidden": 64, "layers": 2, "heads": 4, "key_heads": 2, "head_width": 8, "vocabulary": 256}
SMALL_VLM = {
    "vision": {"width": 32, "hidden": 64, "layers": 2, "heads": 2, "image": 64, "patch": 16},
    "text": SMALL_TEXT,
    "scale_factor": 2,
}
SMALL_CAMERA = (96, 96)
Row = list[object]


@dataclass(frozen=True)
class Kind:
    """A policy, in its published size and in a small one.

    Attributes:
        camera: height and width of its picture.
        rows: of a batch to learn from.
        settings: of the published size.
        small: what makes it small.
    """

    camera: tuple[int, int]
    rows: int
    settings: dict[str, Any]
    small: dict[str, Any]


SHORT = {"chunk_size": 8, "n_action_steps": 8}
BACKBONE = {"pretrained_backbone_weights": None}
KINDS = {
    "act": Kind(
        (240, 320),
        8,
        # Dropout draws its numbers on the device, where they are others than on the CPU.
        {**BACKBONE, "dropout": 0.0},
        {**SHORT, "vision_backbone": "resnet8", "dim_model": 32, "n_heads": 2, "n_encoder_layers": 1},
    ),
    "diffusion": Kind(
        (96, 96),
        64,
        {**BACKBONE, "num_inference_steps": 10},
        {"vision_backbone": "resnet8", "down_dims": (16, 32), "num_train_timesteps": 10},
    ),
    "smolvla": Kind(
        (480, 640),
        8,
        {"dtype": "float32"},
        {**SHORT, "vlm": SMALL_VLM, "num_vlm_layers": 0, "resize_imgs_with_padding": (64, 64)},
    ),
}


class SameNumbers(TorchFunctionMode):
    """Draws random numbers on the CPU, whatever device they are for, so that every device gets the same."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = dict(kwargs or {})
        if func is torch.randn_like:
            like = args[0]
            return torch.randn(like.shape, dtype=named.get("dtype") or like.dtype).to(like.device)
        if func in (torch.randn, torch.randint):
            return func(*args, **{**named, "device": "cpu"}).to(named.get("device") or "cpu")
        return func(*args, **named)


class Session:
    """Runs on one device until its time is over, and prints a table of each section.

    Args:
        device: where.
        small: policies of a small size.
        seconds: no policy and no command begins later than this.
    """

    def __init__(self, device: torch.device, *, small: bool, seconds: float) -> None:
        self.device, self.small = device, small
        self.failed: list[str] = []
        self._until = time.monotonic() + seconds

    def section(self, name: str, header: list[str], rows: Callable[[], Iterator[Row]]) -> None:
        """Print a table of what `rows` measures; what fails is said, and the next section begins."""
        sys.stdout.write(f"\n{name}\n")
        found: list[Row] = []
        try:
            for each in rows():
                found.append(each)
        except Exception as error:  # one section must not take the others with it; it is said, and the end is 1
            self.failed.append(name)
            sys.stdout.write(f"failed: {type(error).__name__}: {error}\n")
        if found:
            table(found, header)
        sys.stdout.flush()

    def _check_time(self) -> None:
        if time.monotonic() > self._until:
            raise TimeoutError("left out, for the time is over")

    def camera(self, name: str) -> tuple[int, int]:
        """Height and width of pictures."""
        return SMALL_CAMERA if self.small else KINDS[name].camera

    def settings(self, name: str) -> dict[str, Any]:
        """Settings of a policy."""
        return {**KINDS[name].settings, **(KINDS[name].small if self.small else {})}

    def policy(self, name: str, device: torch.device | None = None) -> Any:
        """A policy with random weights, the same each time."""
        from lerobot.core.registry import registry

        torch.manual_seed(0)
        camera = {"type": "VISUAL", "shape": (3, *self.camera(name))}
        policy = registry.config_class("policy", name)(
            input_features={"observation.images.front": camera, "observation.state": STATE},
            output_features={"action": ACTION},
            device=str(device or self.device),
            **self.settings(name),
        ).build()
        policy.place()
        return policy

    def batch(self, policy: Any, rows: int, *, learning: bool) -> dict[str, torch.Tensor]:
        """Numbers in the shapes of a batch, on the policy's device."""
        config = policy.config
        times = (config.n_obs_steps,) if config.observation_delta_indices is not None and learning else ()
        random = torch.Generator().manual_seed(1)
        found = {
            key: torch.rand(rows, *times, *each.shape, generator=random) for key, each in config.input_features.items()
        }
        if config.vocabulary is not None:
            found["observation.language.tokens"] = torch.randint(0, 200, (rows, 12), generator=random)
            found["observation.language.attention_mask"] = torch.ones(rows, 12, dtype=torch.bool)
        if learning:
            steps = len(config.action_delta_indices)
            found["action"] = torch.rand(rows, steps, *config.output_features["action"].shape, generator=random) * 2 - 1
            found["action_is_pad"] = torch.zeros(rows, steps, dtype=torch.bool)
        device = next(policy.parameters()).device
        return {key: value.to(device) for key, value in found.items()}

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def _precision(self, mode: str) -> AbstractContextManager[Any]:
        return torch.autocast(self.device.type, torch.bfloat16) if "bf16" in mode else nullcontext()

    # --- sections ----------------------------------------------------------------------------------------------------

    def learn(self, mode: str) -> Iterator[Row]:
        """Steps of training: loss, gradients, clipping, the policy's optimizer."""
        from lerobot.training.optim.optimizers import optimizer_preset

        for name, kind in KINDS.items():
            self._check_time()
            policy, rows = self.policy(name).train(), 2 if self.small else kind.rows
            batch = self.batch(policy, rows, learning=True)
            optimizer = optimizer_preset(policy.config).build(policy=policy)
            if "compiled" in mode:
                policy.compile()
            if self.device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(self.device)
            steps, losses = [], []
            for _ in range(WARM_UP + (3 if self.small else 20)):
                self._wait()
                started = time.perf_counter()
                with self._precision(mode):
                    loss, _ = policy(batch)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(policy.parameters(), 10.0)
                optimizer.step()
                optimizer.zero_grad()
                self._wait()
                steps.append(time.perf_counter() - started)
                losses.append(float(loss.detach()))
            if not all(map(torch.isfinite, torch.tensor(losses))):
                raise ValueError(f"{name} lost its way: {losses}")
            typical = statistics.median(steps[WARM_UP:])
            peak = torch.cuda.max_memory_allocated(self.device) / 1e9 if self.device.type == "cuda" else float("nan")
            yield [
                name,
                rows,
                f"{1000 * typical:.1f}",
                f"{rows / typical:.1f}",
                f"{steps[0]:.1f}",
                f"{peak:.2f}",
                f"{losses[-1]:.3f}",
            ]

    def act(self) -> Iterator[Row]:
        """Chunks for one robot, in float32 and in bfloat16."""
        for name in KINDS:
            self._check_time()
            policy = self.policy(name).eval()
            seen = self.batch(policy, 1, learning=False)
            for mode in ("float32", "bf16"):
                times = []
                for _ in range(WARM_UP + (5 if self.small else 100)):
                    policy.reset()
                    self._wait()
                    started = time.perf_counter()
                    with torch.inference_mode(), self._precision(mode):
                        policy.select_action(dict(seen))
                    self._wait()
                    times.append(1000 * (time.perf_counter() - started))
                counted = sorted(times[WARM_UP:])
                yield [name, mode, f"{counted[len(counted) // 2]:.1f}", f"{counted[int(len(counted) * 0.99)]:.1f}"]

    def parity(self) -> Iterator[Row]:
        """Loss, gradients and first action on the device and on the CPU, of the same weights and random numbers."""
        for name in KINDS:
            self._check_time()
            found = []
            for device in (torch.device("cpu"), self.device):
                policy = self.policy(name, torch.device("cpu")).to(device)
                with SameNumbers(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                    torch.manual_seed(2)
                    loss, _ = policy.train()(self.batch(policy, 2, learning=True))
                    loss.backward()
                    torch.manual_seed(3)
                    with torch.no_grad():
                        policy.eval().reset()
                        action = policy.select_action(self.batch(policy, 1, learning=False))
                gradients = [each.grad for each in policy.parameters() if each.grad is not None]
                gradient = torch.cat([each.flatten() for each in gradients])
                found.append([each.detach().float().cpu() for each in (loss, gradient, action)])
            differences = [difference(*pair) for pair in zip(*found, strict=True)]
            yield [name, *(f"{each:.1e}" for each in differences)]
            if not max(differences) <= TOLERANCE:
                raise ValueError(
                    f"{name} differs by {max(differences):.1e} of the largest element, at most {TOLERANCE}"
                )

    def commands(self, folder: Path) -> Iterator[Row]:
        """Train on a video, resume from the middle, export: by the ordinary commands."""
        self._check_time()
        record(folder / "data", self.camera("act"), episodes=2)
        data = ["--dataset.repo_id=bench/data", f"--dataset.root={folder / 'data'}"]
        out, steps = folder / "run", 4 if self.small else 60
        size = [f"--policy.{key}={'null' if each is None else each}" for key, each in self.settings("act").items()]
        new = ["--policy.type=act", *size, f"--policy.device={self.device}", "--policy.push_to_hub=false"]
        pace = [f"--steps={steps}", f"--save_freq={steps // 2}", f"--log_freq={steps // 2}", "--batch_size=8"]
        took = finished("train", *data, *new, *pace, "--num_workers=2", f"--output_dir={out}")
        with (out / "metrics.csv").open(newline="") as file:
            last = {key: float(value) for key, value in list(csv.DictReader(file))[-1].items()}
        speed = f"{last['samples_per_s']:.1f} samples/s, waiting for data {100 * last['data_wait_share']:.0f} %"
        yield ["train ACT from video", f"{took:.1f}", speed]
        whole = out / f"checkpoints/{steps:06d}"
        aside = Path(shutil.move(whole, folder / "whole"))
        settings = out / f"checkpoints/{steps // 2:06d}/pretrained_model/train_config.json"
        took = finished("train", f"--config_path={settings}", "--resume=true")
        weights = [each / "pretrained_model/model.safetensors" for each in (aside, whole)]
        yield ["resume from the middle", f"{took:.1f}", f"weights differ by {weight_difference(*weights):.1e}"]
        policy, exported = whole / "pretrained_model", folder / "exported"
        took = finished("export", f"--policy.path={policy}", *data, f"--output_dir={exported}")
        yield ["export and compare", f"{took:.1f}", ", ".join(sorted(path.name for path in exported.iterdir()))]


def difference(first: torch.Tensor, second: torch.Tensor) -> float:
    """Largest difference, as part of the largest element."""
    return float((first - second).abs().max() / first.abs().max().clamp(min=1e-30))


def weight_difference(first: Path, second: Path) -> float:
    """The same of all weights in two files; fails if it is no rounding."""
    from safetensors.torch import load_file

    found = max(difference(one.float(), load_file(second)[name].float()) for name, one in load_file(first).items())
    if not found <= TOLERANCE:
        raise ValueError(f"a resumed run has other weights, by {found:.1e}")
    return found


def finished(name: str, *flags: str) -> float:
    """Run a command of this project to its end; seconds that it took."""
    found = run([script("lerobot"), name, *flags], HF_HUB_OFFLINE="1")
    if found.code:
        raise ValueError(f"lerobot {name} ended with {found.code}:\n{found.output[-1500:]}")
    return found.wall_s


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--size", choices=["published", "small"], default="published")
    parser.add_argument("--seconds", type=float, default=360, help="no policy begins later than this")
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SystemExit(
            "no CUDA device: nothing was measured. To see that the script works: --device cpu --size small"
        )
    what = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    sys.stdout.write(f"torch {torch.__version__} on {device}: {what}; {options.size} sizes\n")
    session = Session(device, small=options.size == "small", seconds=options.seconds)
    learned = ["policy", "batch", "ms per step", "samples/s", "first step, s", "peak GB", "last loss"]
    with tempfile.TemporaryDirectory() as folder:
        session.section("agreement with the CPU", ["policy", "loss", "gradients", "action"], session.parity)
        session.section("learning, float32", learned, lambda: session.learn("float32"))
        session.section("learning, bf16", learned, lambda: session.learn("bf16"))
        session.section("acting, one robot", ["policy", "precision", "p50 ms", "p99 ms"], session.act)
        session.section("commands", ["what", "s", "found"], lambda: session.commands(Path(folder)))
        session.section("learning, bf16 and compiled", learned, lambda: session.learn("bf16, compiled"))
    sys.stdout.write(f"\nnot done: {', '.join(session.failed)}\n" if session.failed else "\nall done\n")
    return 1 if session.failed else 0


if __name__ == "__main__":
    sys.exit(main())

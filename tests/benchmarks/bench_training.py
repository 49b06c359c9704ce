"""Training and acting with a policy, here and with huggingface/lerobot: the same files, flags and weights, in one run.

    LEROBOT_PEER_PYTHON=/path/to/python python tests/benchmarks/bench_training.py [--kind vqbet] [--device cuda]

A dataset is recorded and an untrained policy of the published size is saved first, both here. Then each side trains
from those weights and acts with them, in processes of its own that take turns, so that a busy machine is busy for both.

A step lasts from the end of one update to the end of the next. Its share outside the update is what the batch took to
arrive, to be moved and to be normalised. CPU seconds are those of the process and its workers, and hardly depend on
what else the machine does.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import run, table

KINDS: dict[str, tuple[tuple[int, int], list[str]]] = {
    "act": ((240, 320), []),
    "diffusion": ((96, 96), ["--policy.noise_scheduler_type=DDIM", "--policy.num_inference_steps=10"]),
    # After one step its codes are learned, and it learns behaviour.
    "vqbet": ((96, 96), ["--policy.n_vqvae_training_steps=1"]),
}
"""Size of the pictures, and flags of its own that both sides get."""

WARM_UP = 3
"""First steps, which are not counted: they read files and choose kernels."""

TRAIN = """
import json, os, sys, time
began, here = float(sys.argv.pop(1)), sys.argv.pop(1) == "here"
import torch
torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
marks = []
def cpu():
    return sum(os.times()[:4])
def timed(update):
    def measured(*arguments, **named):
        if torch.cuda.is_available(): torch.cuda.synchronize()
        started = time.perf_counter()
        result = update(*arguments, **named)
        if torch.cuda.is_available(): torch.cuda.synchronize()
        marks.append((started, time.perf_counter(), cpu()))
        if len(marks) == 1: marks.append(time.time() - began)
        return result
    return measured
if here:
    from lerobot.training.learner.supervised import SupervisedLearner
    SupervisedLearner.step = timed(SupervisedLearner.step)
    from lerobot_cli import main
    sys.argv[1:1] = ["train"]
else:
    from lerobot.scripts import lerobot_train
    lerobot_train.update_policy = timed(lerobot_train.update_policy)
    main = lerobot_train.main
try:
    main()
except SystemExit:
    pass
first = marks.pop(1)
print("RESULT" + json.dumps([first, marks]))
"""

ACT = """
import json, os, sys, time
folder, device, here = sys.argv[1], sys.argv[2], sys.argv[3] == "here"
import torch
torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
if here:
    from lerobot.policies.assembly import PolicyWithProcessors
    trained = PolicyWithProcessors.from_pretrained(folder)
    policy, (pre, post) = trained.policy, trained.processors
else:
    from lerobot.policies.factory import get_policy_class, make_pre_post_processors
    kind = json.load(open(folder + "/config.json"))["type"]
    policy = get_policy_class(kind).from_pretrained(folder)
    overrides = {"device_processor": {"device": device}}
    pre, post = make_pre_post_processors(policy.config, folder, preprocessor_overrides=overrides)
policy.to(device).eval()
torch.manual_seed(0)
observation = {k: torch.rand(*f.shape) for k, f in policy.config.input_features.items()}
def tick():
    started, computed = time.perf_counter(), time.process_time()
    with torch.inference_mode():
        post(policy.select_action(pre(dict(observation)))).tolist()
    return (time.perf_counter() - started) * 1000, (time.process_time() - computed) * 1000
predicted, queued = [], []
for _ in range(int(sys.argv[4])):
    policy.reset()
    predicted.append(tick())
    queued += [tick() for _ in range(5)]
print("RESULT" + json.dumps([predicted[3:], queued[15:]]))
"""


def record(root: Path, size: tuple[int, int], *, episodes: int = 4, frames: int = 60) -> None:
    """Write a dataset as a robot of six joints with one camera gives it: h264 at 30 fps."""
    import numpy as np

    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    camera = {"dtype": "video", "shape": (*size, 3), "names": ["height", "width", "channels"]}
    vectors = {key: {"dtype": "float32", "shape": (6,), "names": None} for key in ("observation.state", "action")}
    dataset = LeRobotDataset.create("bench/data", 30, {**vectors, "observation.images.front": camera}, root=root)
    rng = np.random.default_rng(0)
    blocks = (size[0] // 16, size[1] // 16, 3)
    scene = np.kron(rng.integers(40, 215, blocks), np.ones((16, 16, 1))).astype(np.uint8)
    for _ in range(episodes):
        for k in range(frames):
            picture = np.roll(scene, 3 * k, axis=1) + rng.integers(0, 12, (*size, 1), dtype=np.uint8)
            numbers = {key: rng.normal(size=6).astype(np.float32) for key in vectors}
            dataset.add_frame({**numbers, "observation.images.front": picture, "task": "move"})
        dataset.save_episode()
    dataset.finalize()


def flags(root: Path, output: Path, arguments: argparse.Namespace, *more: str) -> list[str]:
    """Flags that both sides understand."""
    return [
        f"--dataset.root={root}",
        "--dataset.repo_id=bench/data",
        f"--output_dir={output}",
        f"--policy.device={arguments.device}",
        "--policy.push_to_hub=false",
        f"--batch_size={arguments.batch_size}",
        f"--num_workers={arguments.workers}",
        "--env_eval_freq=0",
        *more,
    ]


def result(command: list[str], environment: dict[str, str]) -> Any:
    """Run a script and read what it measured."""
    finished = run(command, **environment)
    lines = [line.removeprefix("RESULT") for line in finished.output.splitlines() if line.startswith("RESULT")]
    if not lines:
        raise SystemExit(finished.output[-4000:])
    return json.loads(lines[0])


def train(python: str, side: str, arguments: list[str], environment: dict[str, str]) -> dict[str, list[float]]:
    """Train once.

    Returns:
        `step_s`, `outside` (share of each step) and `cpu_s` of every counted step; `start_s` and `start_cpu_s` are
        what it takes until the first update is done.
    """
    code = f"import time,subprocess,sys; sys.exit(subprocess.call([{python!r},'-W','ignore','-c',sys.argv[1],"
    code += f"str(time.time()),{side!r},*sys.argv[2:]]))"
    start_s, marks = result([sys.executable, "-c", code, TRAIN, *arguments], environment)
    counted = list(zip(marks[WARM_UP:], marks[WARM_UP + 1 :], strict=False))
    steps = [after[1] - before[1] for before, after in counted]
    return {
        "step_s": steps,
        "outside": [1 - (after[1] - after[0]) / step for (_, after), step in zip(counted, steps, strict=True)],
        "cpu_s": [(after[2] - before[2]) for before, after in counted],
        "start_s": [start_s],
        "start_cpu_s": [marks[0][2]],
    }


def quantile(values: list[float], share: float) -> float:
    """The value below which a share of them lies."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def collect(into: dict[str, list[float]], found: dict[str, list[float]]) -> None:
    """Add one process's measurements to those of its side."""
    for key, values in found.items():
        into.setdefault(key, []).extend(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", default="act", choices=KINDS)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--ticks", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--policy", nargs="*", default=[], help="Further flags of the policy.")
    parser.add_argument(
        "--here", nargs="*", default=[], help="Further flags of our side, such as --channels_last=true."
    )
    arguments = parser.parse_args()
    sides = {"here": sys.executable}
    if peer := os.environ.get("LEROBOT_PEER_PYTHON"):
        sides["peer"] = peer
    environment = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(arguments.threads)}
    with tempfile.TemporaryDirectory() as folder:
        root, start = Path(folder) / "data", Path(folder) / "start"
        size, settings = KINDS[arguments.kind]
        code = f"from pathlib import Path; import bench_training as b; b.record(Path({str(root)!r}), {size})"
        subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)
        random = "--policy.pretrained_backbone_weights=null"
        new = [f"--policy.type={arguments.kind}", random, *settings, *arguments.policy, "--steps=1"]
        train(sys.executable, "here", flags(root, start, arguments, *new), environment)
        weights = start / "checkpoints/last/pretrained_model"
        measured: dict[str, dict[str, list[float]]] = {side: {} for side in sides}
        for round_number in range(arguments.rounds):
            for side, python in sides.items():
                output = Path(folder) / f"{side}{round_number}"
                more = [f"--policy.path={weights}", f"--steps={arguments.steps}", "--save_checkpoint=false"]
                more += arguments.here if side == "here" else []
                collect(measured[side], train(python, side, flags(root, output, arguments, *more), environment))
                command = [python, "-W", "ignore", "-c", ACT, str(weights), arguments.device, side]
                predicted, queued = result([*command, str(arguments.ticks)], environment)
                found = {"predicted": [wall for wall, _ in predicted], "computed": [cpu for _, cpu in predicted]}
                collect(measured[side], {**found, "queued": [wall for wall, _ in queued]})
    report(measured, arguments.batch_size)


def report(measured: dict[str, dict[str, list[float]]], batch_size: int) -> None:
    """Print a row per figure, and the peer's divided by ours where less is better."""
    figures = {
        "training, samples/s (median step)": lambda m: batch_size / statistics.median(m["step_s"]),
        "training, CPU s per step": lambda m: statistics.median(m["cpu_s"]),
        "outside the update, share": lambda m: statistics.mean(m["outside"]),
        "start to first update done, s": lambda m: statistics.median(m["start_s"]),
        "start to first update done, CPU s": lambda m: statistics.median(m["start_cpu_s"]),
        "tick that predicts, p50 ms": lambda m: quantile(m["predicted"], 0.5),
        "tick that predicts, p99 ms": lambda m: quantile(m["predicted"], 0.99),
        "tick that predicts, p50 CPU ms": lambda m: quantile(m["computed"], 0.5),
        "tick from the queue, p50 ms": lambda m: quantile(m["queued"], 0.5),
        "tick from the queue, p99 ms": lambda m: quantile(m["queued"], 0.99),
    }
    rows = []
    for name, figure in figures.items():
        values = [figure(each) for each in measured.values()]
        ratio = []
        if len(values) > 1:
            better = values[0] / values[1] if "samples/s" in name else values[1] / max(values[0], 1e-9)
            ratio = [f"{better:.2f}x"]
        rows.append([name, *(f"{value:.3g}" for value in values), *ratio])
    table(rows, ["what", *measured, "better by"][: len(rows[0])])


if __name__ == "__main__":
    main()

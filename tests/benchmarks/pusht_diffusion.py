"""Diffusion Policy on PushT from the block's state: trained here and with huggingface/lerobot, on a CPU, then scored.

    LEROBOT_PEER_PYTHON=/path/to/python python tests/benchmarks/pusht_diffusion.py [--steps N] [--out FOLDER]

Both train on the same files, for the same steps of the same recipe; both checkpoints play the same episodes in this
project's evaluation. Without `LEROBOT_PEER_PYTHON` only this project trains.

The demonstrations are the 206 of people in the public dataset lerobot/pusht. It stores the agent's place and, of the
block, only videos and rewards. But its episode k started from the original environment's seed k, so the simulation can
repeat it; every repeated place and reward is compared with the recorded one, and episodes that differ are left out.
"""

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from measure import Run, run, script, table

RECORDING = Path(__file__).parents[3] / "shared/data/pusht_v30_novideo/data/chunk-000/file-000.parquet"
TASK = "Push the T-shaped block onto the T-shaped target."
BATCH = 128
RECIPE = (
    "--policy.type=diffusion",
    "--policy.device=cpu",
    "--policy.push_to_hub=false",
    "--policy.n_obs_steps=2",
    "--policy.horizon=16",
    "--policy.n_action_steps=8",
    "--policy.down_dims=[64,128,256]",
    "--policy.diffusion_step_embed_dim=64",
    # By default neither side scales an environment's state.
    '--policy.normalization_mapping={"STATE": "MIN_MAX", "ENV": "MIN_MAX", "ACTION": "MIN_MAX"}',
    "--policy.noise_scheduler_type=DDIM",
    "--policy.num_inference_steps=10",
    "--policy.optimizer_lr=1e-3",
    "--policy.scheduler_warmup_steps=100",
    f"--batch_size={BATCH}",
    "--num_workers=2",
    "--env_eval_freq=0",
    "--save_freq=0",
    "--seed=0",
)
# No demonstration started from these.
FIRST_SEED = 100_000


@dataclass(frozen=True)
class Repeated:
    """One demonstration, repeated: what was seen, done and reached."""

    state: np.ndarray
    environment_state: np.ndarray
    action: np.ndarray
    max_reward: float
    differs: bool


def start_of(number: int) -> list[float]:
    """Where the original environment put agent and block for a seed."""
    random = np.random.RandomState(number)
    places: list[float] = [random.randint(low, high) for low, high in [(50, 450)] * 2 + [(100, 400)] * 2]
    return [*places, random.randn() * 2 * np.pi - np.pi]


def demonstrations() -> Iterator[Repeated]:
    """Repeat every recorded episode in the simulation."""
    from lerobot.pusht.config import PushTConfig
    from lerobot.pusht.env import PushT

    env = PushT(PushTConfig(obs_type="environment_state_agent_pos"))
    for number, rows in pq.read_table(RECORDING).to_pandas().groupby("episode_index"):
        observation, _ = env.reset(options={"reset_to_state": start_of(int(number))})
        seen, rewards = [], []
        for action in rows["action"]:
            seen.append(observation)
            observation, reward, *_ = env.step(action)
            rewards.append(reward)
        agent = np.stack([step["agent_pos"] for step in seen])
        recorded = np.stack(rows["observation.state"].to_list())
        # The recording has no state after its last action and repeats the reward before it.
        wrong = np.abs(np.array(rewards) - rows["next.reward"].to_numpy())[:-1]
        yield Repeated(
            state=recorded,
            environment_state=np.stack([step["environment_state"] for step in seen]).astype(np.float32),
            action=np.stack(rows["action"].to_list()),
            max_reward=max(rewards),
            differs=bool(np.abs(agent - recorded).max() > 1e-3 or wrong.max() > 1e-4),
        )


def write_dataset(root: Path) -> list[Repeated]:
    """Write the demonstrations that repeat as recorded, with the state of the block; return them."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    sizes = {"observation.state": 2, "observation.environment_state": 16, "action": 2}
    features = {key: {"dtype": "float32", "shape": (size,), "names": None} for key, size in sizes.items()}
    dataset = LeRobotDataset.create("bench/pusht", 10, features, root=root)
    kept = [episode for episode in demonstrations() if not episode.differs]
    for episode in kept:
        for state, block, action in zip(episode.state, episode.environment_state, episode.action, strict=True):
            numbers = {"observation.state": state, "observation.environment_state": block, "action": action}
            dataset.add_frame({**numbers, "task": TASK})
        dataset.save_episode()
    dataset.finalize()
    return kept


def finished(run_: Run, what: str) -> Run:
    """The run, or an end that shows its last words."""
    if run_.code:
        raise SystemExit(f"{what} ended with {run_.code}:\n{run_.output[-3000:]}")
    return run_


def train(program: list[str], root: Path, out: Path, steps: int) -> Run:
    """Train with one side's `lerobot-train`."""
    place = (f"--dataset.root={root}", "--dataset.repo_id=bench/pusht", f"--output_dir={out}")
    command = [*program, *place, *RECIPE, f"--steps={steps}", f"--log_freq={max(1, steps // 10)}"]
    return finished(run(command, HF_HUB_OFFLINE="1"), f"training with {program[0]}")


def evaluate(side: Path, episodes: int) -> dict[str, Any]:
    """Score a checkpoint of either side with this project's evaluation."""
    policy, out = side / "train/checkpoints/last/pretrained_model", side / "eval"
    command = [
        script("lerobot-eval"),
        f"--policy.path={policy}",
        "--policy.device=cpu",
        "--env.type=pusht",
        "--env.obs_type=environment_state_agent_pos",
        f"--eval.n_episodes={episodes}",
        "--eval.batch_size=1",
        "--eval.n_videos=0",
        f"--seed={FIRST_SEED}",
        f"--output_dir={out}",
    ]
    # A network this small is slower on two threads, and two of these run side by side.
    finished(run(command, HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1"), f"evaluation of {policy}")
    found: dict[str, Any] = json.loads((out / "eval_info.json").read_text())
    return found


def score(rewards: list[float], solved: int) -> tuple[str, str]:
    """Success rate and mean of the largest rewards, each with its 95 % interval."""
    from lerobot.envs.report import Z_95, wilson_interval

    low, high = wilson_interval(solved, len(rewards))
    half = Z_95 * statistics.stdev(rewards) / math.sqrt(len(rewards))
    return (
        f"{100 * solved / len(rewards):.0f} % ({100 * low:.0f} to {100 * high:.0f})",
        f"{statistics.fmean(rewards):.3f} +- {half:.3f}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--out", type=Path, help="new folder that keeps data, checkpoints and reports")
    arguments = parser.parse_args()
    if not RECORDING.exists():
        raise SystemExit(f"the recording is not here: {RECORDING}")
    sides = {"here": [script("lerobot-train")]}
    if peer := os.environ.get("LEROBOT_PEER_PYTHON"):
        sides["huggingface/lerobot"] = [peer, "-m", "lerobot.scripts.lerobot_train"]
    with tempfile.TemporaryDirectory() as temporary:
        out = arguments.out or Path(temporary) / "pusht"
        out.mkdir(parents=True)
        kept = write_dataset(out / "data")
        places = [out / f"side_{k}" for k in range(len(sides))]
        trained = [
            train(program, out / "data", place / "train", arguments.steps)
            for program, place in zip(sides.values(), places, strict=True)
        ]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            reports = list(pool.map(evaluate, places, [arguments.episodes] * len(places)))
    shown = []
    for name, training, report in zip(sides, trained, reports, strict=True):
        metrics = report["per_task"][0]["metrics"]
        speed = arguments.steps * BATCH / training.wall_s
        scored = score(metrics["max_rewards"], sum(metrics["successes"]))
        shown.append([name, f"{training.wall_s:.0f} s", f"{speed:.0f}", *scored])
    table(shown, ["trained", "in", "samples/s", f"success of {arguments.episodes}", "mean max reward"])
    reached = statistics.fmean(episode.max_reward for episode in kept)
    sys.stdout.write(f"{arguments.steps} steps of {BATCH}; {len(kept)} demonstrations, mean max reward {reached:.3f}\n")


if __name__ == "__main__":
    main()

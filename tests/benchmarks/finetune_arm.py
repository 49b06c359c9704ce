"""Success before and after `lerobot finetune` on a virtual arm that is unlike those a policy was trained on.

    python tests/benchmarks/finetune_arm.py [--out FOLDER]

A small policy learns `reach` from states, shown by the expert on arms that all differ a little. Then it comes to one
arm that differs three times as much, is judged, learns from a few episodes shown there, and is judged again.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from lerobot.core.cli.app import main as lerobot
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.sim.config import SimEnvConfig
from lerobot.sim.expert import Expert, Skill
from lerobot.sim.joints import to_units

SHOWN, ON_THE_ARM = 120, 20
REACH: dict[str, Any] = {"task": "reach", "cameras": (), "objects": True, "fps": 10, "episode_length": 30}
MANY: dict[str, Any] = {"strength": 1.0}
ARM: dict[str, Any] = {"strength": 3.0, "seed": 77, "fixed": True}
SIZES = {"observation.state": 6, "observation.environment_state": 3, "action": 6}


def show(root: Path, episodes: int, seed: int, randomization: dict[str, Any]) -> int:
    """Record the expert; gives how often it succeeded."""
    features = {key: {"dtype": "float32", "shape": (size,), "names": None} for key, size in SIZES.items()}
    dataset = LeRobotDataset.create("test/reach", 10, features, root)
    env = SimEnvConfig(**REACH, randomization=randomization).build()
    solved = 0
    for episode in range(episodes):
        seen, _ = env.reset(seed=seed + episode)
        expert, ended = Expert(env.world, Skill(noise_deg=1)), False
        while not ended:
            action = np.array(list(to_units(expert.command()).values()), np.float32)
            row = {"observation.state": seen["agent_pos"], "action": action, "task": "reach"}
            dataset.add_frame({**row, "observation.environment_state": seen["environment_state"]})
            seen, _, terminated, truncated, _ = env.step(action)
            ended = terminated or truncated
        solved += terminated
        dataset.save_episode()
    dataset.finalize()
    env.close()
    return solved


def main() -> None:
    """Run it; `lerobot finetune` prints what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("outputs/finetune_arm"), help="folder of everything")
    out = parser.parse_args().out.resolve()
    many, arm, run = out / "many", out / "arm", out / "from_many"
    for root, episodes, seed, randomization in ((many, SHOWN, 10_000, MANY), (arm, ON_THE_ARM, 20_000, ARM)):
        print(f"{root.name}: the expert solves {show(root, episodes, seed, randomization)} of {episodes}")
    batches = ("--batch_size=64", "--num_workers=0")
    policy = ("--policy.type=bc_mlp", "--policy.device=cpu", "--policy.push_to_hub=false")
    data = ("--dataset.repo_id=test/reach", f"--dataset.root={many}", "--dataset.in_memory=true")
    learned = ("lerobot", "train", *policy, *data, *batches, "--steps=1500", f"--output_dir={run}")
    if lerobot(list(learned)):
        raise SystemExit("training failed")
    place = [f"--env.{key}={'[]' if key == 'cameras' else value}" for key, value in REACH.items()]
    place += [f"--env.randomization.{key}={value}" for key, value in ARM.items()]
    new = ("--new_episodes.repo_id=test/reach", f"--new_episodes.root={arm}", "--new_episodes.in_memory=true")
    policy_path = f"--policy.path={run / 'checkpoints/last/pretrained_model'}"
    judged = ("--env.type=sim", *place, "--steps=500", "--eval_episodes=50", f"--output_dir={out / 'finetune'}")
    raise SystemExit(lerobot(["lerobot", "finetune", policy_path, *new, *batches, *judged]))


if __name__ == "__main__":
    main()

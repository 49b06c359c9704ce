"""Whether words matter: a small policy learns two tasks of the virtual arm from nothing, and is told the wrong one.

    python tests/benchmarks/two_tasks.py [--policy smolvla|multi_task_dit] [--episodes N] [--out FOLDER]

In `reach_red` and `reach_blue` a red and a blue ball hang in the same places, so that only the text says where to go.
An expert demonstrates both, a policy learns from pictures, joints and text, and plays starts that nobody demonstrated:
each task with its own text, then with that of the other. Everything but the swapped text is an ordinary command.
Ends with 1 unless every success with the right text is above every success with the wrong one, interval and all.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import run, script, table

TEXTS = {"reach_red": "Move the gripper to the red ball", "reach_blue": "Move the gripper to the blue ball"}
FPS, SIZE, PATIENCE_STEPS = 10, 96, 50
STEPS = 6000
CAMERAS = ("front", "top")
REPO = "--dataset.repo_id=bench/two_tasks"
# No demonstration started from these.
FIRST_SEED = 100_000


def smolvla(words: Path) -> list[str]:
    """SmolVLA of 0.9 million weights, of which none was learned before."""
    text = {"width": 96, "hidden": 256, "layers": 3, "heads": 4, "key_heads": 2, "head_width": 24, "vocabulary": 64}
    vision = {"width": 96, "hidden": 256, "layers": 2, "heads": 4, "image": SIZE, "patch": 12}
    vlm = {"vision": vision, "text": text, "scale_factor": 2, "dtype": "float32"}
    return [
        f"--policy.vlm={json.dumps(vlm)}",
        f"--policy.vlm_model_name={words}",
        f"--policy.resize_imgs_with_padding=[{SIZE}, {SIZE}]",
        "--policy.num_vlm_layers=0",
        "--policy.expert_width_multiplier=1",
        "--policy.freeze_vision_encoder=false",
        "--policy.train_expert_only=false",
        "--policy.max_state_dim=6",
        "--policy.max_action_dim=6",
        "--policy.chunk_size=8",
        "--policy.n_action_steps=4",
        "--policy.scheduler_warmup_steps=100",
        "--policy.scheduler_decay_lr=1e-5",
        f"--policy.scheduler_decay_steps={STEPS}",
    ]


def multi_task_dit(words: Path) -> list[str]:
    """Multi-Task DiT by flow matching; the encoder of its texts keeps its random weights, as a published one would."""
    encoder = {"width": 96, "hidden": 256, "layers": 2, "heads": 4}
    return [
        "--policy.objective=flow_matching",
        "--policy.num_integration_steps=10",
        f"--policy.vision_encoder_name={words}",
        f"--policy.vision_size={json.dumps({**encoder, 'image': SIZE, 'patch': 12})}",
        "--policy.vision_encoder_lr_multiplier=1",
        "--policy.image_crop_shape=null",
        f"--policy.text_encoder_name={words}",
        f"--policy.text_size={json.dumps({**encoder, 'vocabulary': 64, 'positions': 16, 'end_token': 2})}",
        "--policy.hidden_dim=128",
        "--policy.num_layers=4",
        "--policy.num_heads=4",
        "--policy.horizon=8",
        "--policy.n_action_steps=4",
        "--policy.scheduler_warmup_steps=100",
    ]


RECIPES = {"smolvla": smolvla, "multi_task_dit": multi_task_dit}
COMMON = (
    "--policy.device=cpu",
    "--policy.push_to_hub=false",
    "--policy.tokenizer_max_length=16",
    "--policy.optimizer_lr=1e-3",
    "--dataset.in_memory=true",
    "--num_workers=0",
    "--batch_size=16",
    f"--steps={STEPS}",
    f"--save_freq={STEPS}",
    "--log_freq=100",
    "--seed=0",
)


def command(name: str, *flags: str) -> None:
    """Run a command of this project to its end; one that fails ends everything with its last words."""
    found = run([script("lerobot"), name, *flags], HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1")
    if found.code:
        raise SystemExit(f"{name} ended with {found.code}:\n{found.output[-3000:]}")


def write_tokenizer(folder: Path) -> None:
    """A token for each word of the two texts, and one that ends a text, in the file that transformers reads."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = ["<pad>", "<unk>", "<end>", *sorted({word for text in TEXTS.values() for word in text.split()})]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A <end>", special_tokens=[("<end>", 2)])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>").save_pretrained(folder)


def demonstrate(out: Path, episodes: int) -> Path:
    """Record both tasks and make one dataset of them."""
    cameras = ", ".join(f"{camera}: {{type: sim, width: {SIZE}, height: {SIZE}}}" for camera in CAMERAS)
    for seed, (task, text) in enumerate(TEXTS.items()):
        command(
            "record",
            "--robot.type=sim_so101",
            f"--robot.task={task}",
            f"--robot.seed={seed}",
            f"--robot.cameras={{{cameras}}}",
            "--robot.realtime=false",
            "--teleop.type=scripted",
            "--teleop.noise_deg=1",
            REPO,
            f"--dataset.root={out / task}",
            "--dataset.no_stamp=true",
            f"--dataset.single_task={text}",
            f"--dataset.num_episodes={episodes}",
            f"--dataset.fps={FPS}",
            "--dataset.episode_time_s=20",
            "--dataset.reset_time_s=2",
            "--play_sounds=false",
        )
    roots = json.dumps([str(out / task) for task in TEXTS])
    merged = out / "data"
    command(
        "edit-dataset",
        "--operation.type=merge",
        f"--operation.roots={roots}",
        "--new_repo_id=bench/two_tasks",
        f"--new_root={merged}",
    )
    return merged


def play(policy: Path, task: str, text: str, episodes: int) -> list[bool]:
    """Play a task while telling the policy a text; whether each episode succeeded."""
    from lerobot.envs.actor import PolicyActor
    from lerobot.envs.assembly import env_maker
    from lerobot.envs.evaluation import evaluate
    from lerobot.envs.rows import EnvRows
    from lerobot.policies.assembly import PolicyWithProcessors
    from lerobot.sim.config import SimEnvConfig

    settings: dict[str, Any] = {"task": task, "fps": FPS, "episode_length": PATIENCE_STEPS}
    config = SimEnvConfig(**settings, cameras=CAMERAS, width=SIZE, height=SIZE)
    trained = PolicyWithProcessors.from_pretrained(policy)
    with EnvRows(env_maker(config), 1) as rows:
        rows.tasks = [text]
        found = evaluate(rows, [PolicyActor(trained, rows.action_space)], episodes, seed=FIRST_SEED)
    return [episode.success for episode in found]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", choices=RECIPES, default="smolvla")
    parser.add_argument("--episodes", type=int, default=200, help="demonstrations of each task")
    parser.add_argument("--eval-episodes", type=int, default=50, help="episodes of each task and text")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    from lerobot.envs.report import wilson_interval

    with tempfile.TemporaryDirectory() as temporary:
        out = options.out or Path(temporary)
        marks = [time.monotonic()]
        data = demonstrate(out, options.episodes) if not (out / "data").exists() else out / "data"
        marks.append(time.monotonic())
        words = out / "words_of_clip"
        write_tokenizer(words)
        trained = out / options.policy
        place = (REPO, f"--dataset.root={data}", f"--output_dir={trained}", f"--policy.type={options.policy}")
        command("train", *place, *RECIPES[options.policy](words), *COMMON)
        policy = trained / "checkpoints/last/pretrained_model"
        marks.append(time.monotonic())
        rows, lowest, highest = [], 1.0, 0.0
        for task in TEXTS:
            for said, text in TEXTS.items():
                won = sum(play(policy, task, text, options.eval_episodes))
                low, high = wilson_interval(won, options.eval_episodes)
                lowest, highest = (min(lowest, low), highest) if said == task else (lowest, max(highest, high))
                rows.append([task, text, f"{won} of {options.eval_episodes}", f"{100 * low:.0f} to {100 * high:.0f} %"])
        marks.append(time.monotonic())
    table(rows, ["solved when it is", "told", "solved", "95 % interval"])
    spent = [
        f"{what} {after - before:.0f} s"
        for what, before, after in zip(("demonstrations", "training", "playing"), marks[:-1], marks[1:], strict=True)
    ]
    sys.stdout.write(", ".join(spent) + f"; processor {sum(os.times()[:4]):.0f} s\n")
    return 0 if lowest > highest else 1


if __name__ == "__main__":
    sys.exit(main())

"""Whether acting ahead of time costs success: sync, asynchronous here and elsewhere, and real-time chunking.

Usage: bench_acting_ahead.py FOLDER [EPISODES]      (half an hour on two cores; what FOLDER holds is not made again)

The scripted expert of the virtual SO-101 is recorded as in `lerobot quickstart`, a small ACT and a small Diffusion
Policy learn from it, and each plays the same starts, which nobody demonstrated, in every way of inference, on the
scene's own clock: predictions take as long as they do on this machine. `remote` asks a server in another process and
another virtual environment, made from this checkout.

Then 300 ms are added to every prediction, in real time: which loop keeps its rate?
"""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measure import script, table

from lerobot.core.config import load
from lerobot.core.control import ControlLoop, Tick
from lerobot.core.safety import SafetyGate, safe_end
from lerobot.envs.report import wilson_interval
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.quickstart.recipe import Settings, recipe
from lerobot.rollout.actor import Actor, make_actor
from lerobot.rollout.command import rollout
from lerobot.rollout.commands.rollout import RolloutConfig
from lerobot.sim.robot import SimSO101

SEED, FPS, PATIENCE_S = 1000, 10, 5
SLOW_S, SLOW_HZ, SLOW_RUN_S, LONG = 0.3, 30, 10, 60
CAMERAS = "{front: {type: sim, width: 96, height: 96}, wrist: {type: sim, width: 96, height: 96}}"
DIFFUSION = (
    "--policy.type=diffusion", "--policy.push_to_hub=false", "--policy.vision_backbone=resnet8",
    "--policy.pretrained_backbone_weights=null", "--policy.use_group_norm=true", "--policy.down_dims=[64, 128]",
    "--policy.diffusion_step_embed_dim=32", "--policy.horizon=8", "--policy.n_action_steps=4",
    "--policy.drop_n_last_frames=3", "--policy.spatial_softmax_num_keypoints=16", "--policy.resize_shape=[64, 64]",
    "--policy.num_train_timesteps=50", "--policy.noise_scheduler_type=DDIM", "--policy.num_inference_steps=5",
    "--policy.optimizer_lr=1e-3", "--policy.scheduler_warmup_steps=100", "--num_workers=0", "--batch_size=32",
    "--steps=2000", "--save_freq=250", f"--seed={SEED}",
)  # fmt: skip
WAYS = {
    "sync": ("--inference.type=sync",),
    "async": ("--inference.type=async", "--inference.chunk_size_threshold=0.9"),
    "async, remote": ("--inference.type=async", "--inference.chunk_size_threshold=0.9"),
    "rtc": ("--inference.type=rtc", "--inference.queue_threshold=6", "--inference.rtc.execution_horizon=4"),
}
"""Chunks are short: the next one is asked for early. RTC is for policies that take noise away, which ACT does not."""


def trained(folder: Path) -> dict[str, Path]:
    """The checkpoints by policy, made if they are not there."""
    stages = recipe(Settings("reach", 300, 2000, 50, SEED), folder)[:4]
    for step in (step for stage in stages for step in stage):
        if not (step.is_complete() or (step.name in {"merge", "verify"} and step.product.exists())):
            subprocess.run([script("lerobot"), *step.begin()], check=True)
    if not (folder / "diffusion").exists():
        data = ("--dataset.repo_id=quickstart/reach", f"--dataset.root={folder / 'data'}", "--dataset.in_memory=true")
        command = [script("lerobot"), "train", *data, *DIFFUSION, f"--output_dir={folder / 'diffusion'}"]
        subprocess.run(command, check=True)
    last = Path("checkpoints/last/pretrained_model")
    return {"ACT": folder / "train" / last, "Diffusion Policy": folder / "diffusion" / last}


def long_act(folder: Path) -> Path:
    """An untrained ACT with chunks for longer than a slow prediction takes: only its rate matters."""
    untrained = recipe(Settings("reach", 300, 2000, 50, SEED), folder)[5][0].command
    more = (f"--policy.chunk_size={LONG}", f"--policy.n_action_steps={LONG // 2}", f"--output_dir={folder / 'long'}")
    if not (folder / "long").exists():
        subprocess.run([script("lerobot"), *untrained, *more], check=True)
    return folder / "long" / "checkpoints" / "last" / "pretrained_model"


@contextlib.contextmanager
def served(checkpoint: Path, folder: Path) -> Iterator[str]:
    """The address of a server in an environment of its own."""
    place = folder / "server"
    env = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(place)}
    packages = [f"--package=lerobot-{name}" for name in ("act", "diffusion", "rollout")]
    subprocess.run(["uv", "sync", "-q", "--frozen", "--no-dev", *packages], env=env, check=True)
    command = [str(place / "bin" / "lerobot"), "serve", f"--policy.path={checkpoint}", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().partition("ws://")[2].partition(";")[0]
        try:
            yield address
        finally:
            process.terminate()


def config(policy: tuple[str, ...], *flags: str) -> RolloutConfig:
    fixed = ("--robot.type=sim_so101", "--robot.task=reach", f"--robot.cameras={CAMERAS}", f"--robot.seed={SEED}")
    task = "--task=Move the gripper to the green ball"
    return load(RolloutConfig, [*policy, *fixed, task, *flags]).config


class Solved:
    """A sink of the loop that ends it once the task is solved."""

    def __init__(self, robot: SimSO101) -> None:
        self.stop = threading.Event()
        self._world = robot.world

    def write(self, _: Tick) -> None:
        if self._world.task.solved(self._world):
            self.stop.set()


def play(settings: RolloutConfig, episodes: int) -> tuple[int, Actor]:
    """Successes, and the policy with its report."""
    robot: SimSO101 = settings.robot.build()  # type: ignore[assignment]
    with contextlib.closing(make_actor(settings, robot)) as actor:
        successes = 0
        for episode in range(episodes):
            actor.reset()
            with safe_end(robot) as session:
                session.connect()
                robot.world.reset(seed=SEED, episode=episode)
                solved = Solved(robot)
                gate = SafetyGate.for_robot(robot, settings.safety)
                loop = ControlLoop(robot, actor, gate, fps=FPS, sinks=[solved], signals=session.signals)
                loop.run(duration_s=PATIENCE_S, stop=solved.stop)
            successes += solved.stop.is_set()
        return successes, actor


def compare(name: str, checkpoint: Path, folder: Path, episodes: int) -> list[list[object]]:
    rows = []
    for way, flags in WAYS.items():
        if way == "rtc" and name == "ACT":
            continue
        with contextlib.ExitStack() as stack:
            policy = (f"--policy.path={checkpoint}",)
            if way == "async, remote":
                policy = ("--policy.type=remote", f"--policy.address={stack.enter_context(served(checkpoint, folder))}")
            settings = config(policy, "--robot.realtime=false", f"--fps={FPS}", *flags)
            successes, actor = play(settings, episodes)
        low, high = wilson_interval(successes, episodes)
        report: Any = actor.report
        steps = ("", "") if way == "sync" else (f"{report.step_within:.1f}", f"{report.step_between:.1f}")
        rows.append(
            [name, way, f"{successes}/{episodes}", f"{low:.0%} to {high:.0%}", report.inference.summary_ms(), *steps]
        )
        table(rows[-1:], ["policy", "inference", "success", "95 %", "prediction", "step in", "between"])
    return rows


@contextlib.contextmanager
def slowed() -> Iterator[None]:
    """Every chunk of every policy takes longer."""
    changed = [(cls, cls.predict_action_chunk) for cls in PreTrainedPolicy.__subclasses__()]
    for cls, original in changed:

        def slow(self: Any, batch: Any, original: Any = original) -> Any:
            time.sleep(SLOW_S)
            return original(self, batch)

        cls.predict_action_chunk = slow  # type: ignore[method-assign]
    try:
        yield
    finally:
        for cls, original in changed:
            cls.predict_action_chunk = original  # type: ignore[method-assign]


def main(folder: Path, episodes: int) -> None:
    checkpoints = trained(folder)
    rows = [row for name, checkpoint in checkpoints.items() for row in compare(name, checkpoint, folder, episodes)]
    table(rows, ["policy", "inference", "success", "95 %", "prediction", "step in", "between"])
    for way in ("async", "sync"):
        sys.stdout.write(f"\n{SLOW_S * 1000:.0f} ms added to each chunk of an ACT that plans {LONG} actions, {way}\n")
        sys.stdout.flush()
        flags = (f"--fps={SLOW_HZ}", f"--duration={SLOW_RUN_S}", "--return_to_initial_position=false", *WAYS[way])
        with slowed():
            rollout(config((f"--policy.path={long_act(folder)}",), *flags))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 50)

"""Which commands the quickstart runs, with which flags: nothing that could not be typed by hand.

The numbers are chosen for six minutes on two processor cores, and measured in `docs/tutorials/quickstart.md`.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lerobot.quickstart.commands.quickstart import QuickstartConfig
from lerobot.quickstart.results import episodes_recorded, steps_saved, steps_trained

Command = tuple[str, ...]
"""What follows `lerobot`: the name of a command and its flags."""

Count = Callable[[], int]

_SENTENCES = {
    "reach": "Move the gripper to the green ball",
    "push": "Push the red cube into the green circle",
    "lift": "Lift the red cube",
}
_FPS, _SIZE = 10, 96
_PATIENCE_S = {"reach": 5, "push": 15, "lift": 15}
"""How long an episode of the evaluation may take; the expert needs a second for reach, six for the others."""

_POLICY = (
    "--policy.type=act",
    "--policy.push_to_hub=false",
    # A twentieth of the published network: pictures of 96 pixels, ten commands a second, learned on a processor.
    "--policy.vision_backbone=resnet8",
    "--policy.pretrained_backbone_weights=null",
    "--policy.dim_model=64",
    "--policy.n_heads=4",
    "--policy.dim_feedforward=256",
    "--policy.n_encoder_layers=1",
    "--policy.use_vae=false",
    "--policy.dropout=0",
    "--policy.chunk_size=8",
    "--policy.n_action_steps=4",
    "--policy.optimizer_lr=1e-3",
    "--policy.optimizer_lr_backbone=1e-3",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the quickstart.

    Attributes:
        name: short name, also of its log.
        purpose: what it is for, in a few words.
        command: how it begins.
        product: what is there when it is done.
        begin: clears what cannot be continued away, and gives the command that goes on from what is there.
        done: how far it is.
        total: how far it goes; 0 if it does not count.
        is_complete: whether nothing is left to do, also where the last run was killed before it could say so.
        may_find: exit code 1 says that there is something to look at, which is shown, and the next step begins.
    """

    name: str
    purpose: str
    command: Command
    product: Path
    begin: Callable[[], Command]
    done: Count = lambda: 0
    total: int = 0
    is_complete: Callable[[], bool] = lambda: False
    may_find: bool = False


Stage = tuple[Step, ...]
"""Steps that run side by side: none needs what another makes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides the results; a folder holds those of one.

    Attributes:
        task: name of the task.
        episodes: demonstrations.
        steps: batches.
        eval_episodes: episodes played by the policy.
        seed: of training and evaluation.
    """

    task: str
    episodes: int
    steps: int
    eval_episodes: int
    seed: int


def settings(config: QuickstartConfig) -> Settings:
    """Fill in what was not asked for."""
    defaults = (4, 20, 4) if config.short else (300, 2000, 50)
    asked = (config.episodes, config.steps, config.eval_episodes)
    episodes, steps, eval_episodes = (
        default if given is None else given for given, default in zip(asked, defaults, strict=True)
    )
    return Settings(config.task, episodes, steps, eval_episodes, config.seed)


def recipe(chosen: Settings, folder: Path) -> list[Stage]:
    """List the steps, in order.

    Args:
        chosen: see `Settings`.
        folder: where everything goes.
    """
    return [
        *_demonstrate(chosen, folder),
        (_verify(chosen, folder),),
        (_train(chosen, folder),),
        (_evaluate(chosen, folder, "eval", "train", "play episodes with starts that were not demonstrated"),),
        (_untrained(chosen, folder),),
        (_evaluate(chosen, folder, "eval-untrained", "untrained", "play the same episodes with it"),),
    ]


def _demonstrate(chosen: Settings, folder: Path) -> list[Stage]:
    """Two recordings at once, a processor core each, and one dataset of both."""
    second = chosen.episodes // 2
    if not second:
        return [(_record(chosen, "record", folder / "data", 1, seed=0),)]
    # Neither seed is among the evaluation's: the second recording takes the first after them.
    parts = (folder / "data-1", folder / "data-2")
    recordings = (
        _record(chosen, "record-1", parts[0], chosen.episodes - second, seed=0),
        _record(chosen, "record-2", parts[1], second, seed=chosen.seed + chosen.eval_episodes),
    )
    return [recordings, (_merge(chosen, folder, parts),)]


def _record(chosen: Settings, name: str, data: Path, episodes: int, *, seed: int) -> Step:
    cameras = ", ".join(f"{camera}: {{type: sim, width: {_SIZE}, height: {_SIZE}}}" for camera in ("front", "wrist"))
    flags = (
        "--robot.type=sim_so101",
        f"--robot.task={chosen.task}",
        f"--robot.seed={seed}",
        f"--robot.cameras={{{cameras}}}",
        "--robot.realtime=false",
        "--teleop.type=scripted",
        # An unsteady hand shows how to get back on the way.
        "--teleop.noise_deg=1",
        *_dataset(chosen, data),
        "--dataset.no_stamp=true",
        f"--dataset.single_task={_SENTENCES[chosen.task]}",
        f"--dataset.fps={_FPS}",
        "--dataset.episode_time_s=20",
        "--dataset.reset_time_s=2",
        "--play_sounds=false",
    )
    command = ("record", *flags, f"--dataset.num_episodes={episodes}")

    def recorded() -> int:
        return episodes_recorded(data)

    def begin() -> Command:
        if not recorded():
            shutil.rmtree(data, ignore_errors=True)
            return command
        return ("record", *flags, f"--dataset.num_episodes={episodes - recorded()}", "--resume=true")

    return Step(
        name,
        "the scripted expert demonstrates, faster than in real time",
        command,
        data / "meta" / "info.json",
        begin,
        done=recorded,
        total=episodes,
        is_complete=lambda: recorded() >= episodes,
    )


def _merge(chosen: Settings, folder: Path, parts: tuple[Path, Path]) -> Step:
    data = folder / "data"
    command = (
        "edit-dataset",
        "--operation.type=merge",
        f"--operation.roots={json.dumps([str(part) for part in parts])}",
        f"--new_repo_id=quickstart/{chosen.task}",
        f"--new_root={data}",
    )

    def begin() -> Command:
        shutil.rmtree(data, ignore_errors=True)
        return command

    return Step("merge", "make one dataset of both recordings", command, data / "meta" / "info.json", begin)


def _verify(chosen: Settings, folder: Path) -> Step:
    flags = (flag.replace("--dataset.", "--") for flag in _dataset(chosen, folder / "data"))
    command = ("verify-dataset", *flags)
    product = folder / "data" / "meta" / "info.json"
    # A sudden motion is worth a look and no reason to stop; what cannot be read, training refuses.
    return Step("verify", "check the recording", command, product, lambda: command, may_find=True)


def _train(chosen: Settings, folder: Path) -> Step:
    run = folder / "train"
    command = _training(chosen, folder, run, chosen.steps)
    saved = run / "checkpoints" / "last" / "pretrained_model"

    def begin() -> Command:
        if (saved / "train_config.json").is_file():
            return ("train", f"--config_path={saved / 'train_config.json'}", "--resume=true")
        shutil.rmtree(run, ignore_errors=True)
        return command

    return Step(
        "train",
        "ACT learns from camera pictures and joint positions",
        command,
        saved,
        begin,
        done=lambda: steps_trained(run),
        total=chosen.steps,
        is_complete=lambda: steps_saved(run) >= chosen.steps,
    )


def _untrained(chosen: Settings, folder: Path) -> Step:
    run = folder / "untrained"
    command = _training(chosen, folder, run, 1)

    def begin() -> Command:
        shutil.rmtree(run, ignore_errors=True)
        return command

    saved = run / "checkpoints" / "last" / "pretrained_model"
    return Step("untrained", "for comparison, the same policy: one step at rate 0", command, saved, begin)


def _training(chosen: Settings, folder: Path, run: Path, steps: int) -> Command:
    shift = "{shift: {type: RandomAffine, kwargs: {degrees: 0, translate: [0.03, 0.03]}}}"
    return (
        "train",
        *_dataset(chosen, folder / "data"),
        "--dataset.in_memory=true",
        "--dataset.image_transforms.enable=true",
        f"--dataset.image_transforms.tfs={shift}",
        *_POLICY,
        "--scheduler.type=diffuser",
        "--scheduler.num_warmup_steps=100",
        "--num_workers=0",
        "--batch_size=32",
        f"--steps={steps}",
        "--save_freq=250",
        "--log_freq=50",
        f"--seed={chosen.seed}",
        f"--output_dir={run}",
    )


def _evaluate(chosen: Settings, folder: Path, name: str, trained: str, purpose: str) -> Step:
    output = folder / name
    command = (
        "eval",
        f"--policy.path={folder / trained / 'checkpoints' / 'last' / 'pretrained_model'}",
        "--env.type=sim",
        f"--env.task={chosen.task}",
        f"--env.fps={_FPS}",
        f"--env.episode_length={_PATIENCE_S[chosen.task] * _FPS}",
        "--env.cameras=[front, wrist]",
        f"--env.width={_SIZE}",
        f"--env.height={_SIZE}",
        "--env.render_width=320",
        "--env.render_height=320",
        f"--eval.n_episodes={chosen.eval_episodes}",
        "--eval.n_videos=6",
        f"--seed={chosen.seed}",
        f"--output_dir={output}",
    )
    return Step(name, purpose, command, output / "eval_info.json", lambda: command)


def _dataset(chosen: Settings, root: Path) -> tuple[str, str]:
    return f"--dataset.repo_id=quickstart/{chosen.task}", f"--dataset.root={root}"

"""The page at the end: one HTML file that needs no other."""

import base64
import shlex
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import jinja2

from lerobot.core.words import counted
from lerobot.quickstart.curve import learning_curve
from lerobot.quickstart.recipe import Settings, Step
from lerobot.quickstart.results import Score
from lerobot.quickstart.running import ENVIRONMENT

_REAL_ARM = """lerobot calibrate --robot.type=so101_follower --robot.port=/dev/ttyACM0 --robot.id=follower
lerobot calibrate --teleop.type=so101_leader --teleop.port=/dev/ttyACM1 --teleop.id=leader
lerobot record --robot.type=so101_follower --robot.port=/dev/ttyACM0 --robot.id=follower \\
  --robot.cameras="{front: {type: opencv, index_or_path: 0, width: 640, height: 480, fps: 30}}" \\
  --teleop.type=so101_leader --teleop.port=/dev/ttyACM1 --teleop.id=leader \\
  --dataset.repo_id=me/cubes --dataset.no_stamp=true --dataset.num_episodes=50 \\
  --dataset.single_task="Pick up the cube"
lerobot verify-dataset --repo_id=me/cubes
lerobot train --dataset.repo_id=me/cubes --policy.type=act --policy.push_to_hub=false --output_dir=outputs/act_cubes
lerobot rollout --policy.path=outputs/act_cubes/checkpoints/last/pretrained_model \\
  --robot.type=so101_follower --robot.port=/dev/ttyACM0 --robot.id=follower \\
  --robot.cameras="{front: {type: opencv, index_or_path: 0, width: 640, height: 480, fps: 30}}" \\
  --task="Pick up the cube" --duration=60"""


def render(
    chosen: Settings,
    steps: Sequence[Step],
    seconds: Mapping[str, float],
    total_s: float,
    scores: tuple[Score, Score],
    losses: Sequence[tuple[int, float]],
) -> str:
    """Make the page's HTML.

    Args:
        chosen: settings.
        steps: what was run.
        seconds: how long each took, by name.
        total_s: how long all took; less than their sum where some ran side by side.
        scores: of the trained policy and of the untrained one.
        losses: step and loss of the training.
    """
    trained, untrained = scores
    room = files("lerobot.quickstart")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(room.joinpath("page.html").read_text(encoding="utf-8"))
    return template.render(
        chosen=chosen,
        style=room.joinpath("page.css").read_text(encoding="utf-8"),
        trained=trained,
        tiles=_tiles(chosen, trained, untrained, total_s),
        trained_films=_films(trained.videos),
        untrained_films=_films(untrained.videos[:2]),
        curve=learning_curve(losses),
        main=[_described(step, seconds) for step in steps if "untrained" not in step.name],
        comparison=[_described(step, seconds) for step in steps if "untrained" in step.name],
        real_arm=_REAL_ARM,
    )


def shell_line(command: Sequence[str]) -> str:
    """A command as one would type it, a flag a line."""
    settings = " ".join(f"{name}={value}" for name, value in ENVIRONMENT.items())
    return " \\\n  ".join([f"{settings} lerobot {command[0]}", *(_flag(flag) for flag in command[1:])])


def _flag(flag: str) -> str:
    name, _, value = flag.partition("=")
    return f"{name}={shlex.quote(value)}"


def _tiles(chosen: Settings, trained: Score, untrained: Score, seconds: float) -> list[tuple[str, str]]:
    minutes, rest = divmod(round(seconds), 60)
    return [
        (f"{trained.percent:.0f} %", f"trained: {_counted(trained)}"),
        (f"{untrained.percent:.0f} %", f"untrained: {_counted(untrained)}"),
        (f"{minutes} min {rest} s", f"{chosen.episodes} demonstrations, {chosen.steps} batches, both evaluations"),
    ]


def _counted(score: Score) -> str:
    low, high = score.interval
    return f"{score.successes} of {counted(score.episodes, 'episode')}, 95 % Wilson interval {low:.1f} to {high:.1f} %"


def _films(videos: Sequence[Path]) -> list[str]:
    return [base64.b64encode(video.read_bytes()).decode() for video in videos]


def _described(step: Step, seconds: Mapping[str, float]) -> dict[str, str]:
    took = f", {seconds[step.name]:.0f} s" if step.name in seconds else ""
    return {"text": f"{step.purpose[0].upper()}{step.purpose[1:]}{took}", "command": shell_line(step.command)}

"""The page at the end: one HTML file that needs no other."""

import base64
import shlex
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

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
    scores: tuple[Score, Score],
    losses: Sequence[tuple[int, float]],
) -> str:
    """Make the page's HTML.

    Args:
        chosen: settings.
        steps: what was run.
        seconds: how long each took, by name.
        scores: of the trained policy and of the untrained one.
        losses: step and loss of the training.
    """
    trained, untrained = scores
    style = files("lerobot.quickstart").joinpath("page.css").read_text(encoding="utf-8")
    main = [step for step in steps if "untrained" not in step.name]
    comparison = [step for step in steps if "untrained" in step.name]
    body = (
        f"<h1>{escape(chosen.task.capitalize())}: {trained.percent:.0f} % success</h1>"
        f"{_tiles(chosen, trained, untrained, sum(seconds.values()))}"
        f"<h2>What it does</h2>{_films(trained.videos)}"
        f"<p>Before training:</p>{_films(untrained.videos[:2])}"
        "<p>The policy sees two camera pictures of 96 x 96 pixels and the six joint positions, as on a real arm; where "
        "the goal is it has to see.</p>"
        f"<h2>How it learned</h2><p>Loss over {chosen.steps} batches, in standard deviations of a command.</p>"
        f"{learning_curve(losses)}"
        f"<h2>The commands</h2>{''.join(_command(step, seconds) for step in main)}"
        f"<h2>For comparison, untrained</h2>{''.join(_command(step, seconds) for step in comparison)}"
        f"<h2>With a real SO-101</h2><p>The same, with other devices; demonstrate it yourself.</p>"
        f"<pre>{escape(_REAL_ARM)}</pre>"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Quickstart: {escape(chosen.task)}</title><style>\n{style}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def shell_line(command: Sequence[str]) -> str:
    """A command as one would type it, a flag a line."""
    settings = " ".join(f"{name}={value}" for name, value in ENVIRONMENT.items())
    return " \\\n  ".join([f"{settings} lerobot {command[0]}", *(_flag(flag) for flag in command[1:])])


def _flag(flag: str) -> str:
    name, _, value = flag.partition("=")
    return f"{name}={shlex.quote(value)}"


def _tiles(chosen: Settings, trained: Score, untrained: Score, seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    facts = (
        (f"{trained.percent:.0f} %", f"trained: {_counted(trained)}"),
        (f"{untrained.percent:.0f} %", f"untrained: {_counted(untrained)}"),
        (f"{minutes} min {rest} s", f"{chosen.episodes} demonstrations, {chosen.steps} batches, both evaluations"),
    )
    return f'<div class="tiles">{"".join(f"<div><strong>{head}</strong>{text}</div>" for head, text in facts)}</div>'


def _counted(score: Score) -> str:
    low, high = score.interval
    return f"{score.successes} of {score.episodes} episodes, 95 % Wilson interval {low:.1f} to {high:.1f} %"


def _films(videos: Sequence[Path]) -> str:
    films = "".join(
        '<video autoplay loop muted playsinline controls src="data:video/mp4;base64,'
        f'{base64.b64encode(video.read_bytes()).decode()}"></video>'
        for video in videos
    )
    return f'<div class="films">{films}</div>'


def _command(step: Step, seconds: Mapping[str, float]) -> str:
    took = f", {seconds[step.name]:.0f} s" if step.name in seconds else ""
    return (
        f"<p>{escape(step.purpose[0].upper() + step.purpose[1:])}{took}</p>"
        f"<pre>{escape(shell_line(step.command))}</pre>"
    )

"""`lerobot check`: compare, print, and say by the exit code whether everything fits."""

from itertools import combinations

import typer

from lerobot.core.errors import LeRobotError
from lerobot.core.words import counted
from lerobot.policies.commands.check import CheckConfig
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.preflight.comparison import (
    cameras_of,
    check_acting,
    check_files,
    check_policy,
    check_same,
    notes_on_files,
)
from lerobot.policies.preflight.sources import describe_dataset, describe_env, describe_robot


def check(config: CheckConfig) -> int:
    """Run the command: print what was compared and every problem; the exit code is 1 if there is one.

    Raises:
        LeRobotError: the dataset cannot be read, the robot or environment not be built, or there is nothing to compare.
    """
    sources = [
        *([describe_dataset(config.dataset)] if config.dataset is not None else []),
        *([describe_env(config.env)] if config.env is not None else []),
        *([describe_robot(config.robot)] if config.robot is not None else []),
    ]
    policy = config.policy
    checks: dict[str, list[str]] = {}
    notes: dict[str, list[str]] = {}
    if policy is not None and not isinstance(policy, PreTrainedConfig):
        checks |= {
            f"{policy.type} policy {policy.origin} and {source.label}": check_acting(policy, source, config.rename_map)
            for source in sources
        }
    elif policy is not None:
        if policy.pretrained_path is not None:
            files = f"files of policy {policy.pretrained_path}"
            checks[files] = check_files(policy)
            if not checks[files]:
                notes[files], checks[files] = notes_on_files(policy)
        for source in sources:
            pair = f"policy {policy.type} and {source.label}"
            checks[pair] = check_policy(policy, source, config.rename_map)
            notes[pair] = [cameras_of(policy, source, config.rename_map)]
    for first, second in combinations(sources, 2):
        checks[f"{first.label} and {second.label}"] = check_same(first, second)
    if not checks:
        raise LeRobotError(
            "there is nothing to compare",
            expected="a saved policy that is no export, or two of policy, dataset, robot and environment",
        )
    for what, problems in checks.items():
        typer.echo(f"{what}: {'fits' if not problems else counted(len(problems), 'problem')}")
        for line in (*problems, *notes.get(what, ())):
            if line:
                typer.echo(f"  {line}")
    return 1 if any(checks.values()) else 0

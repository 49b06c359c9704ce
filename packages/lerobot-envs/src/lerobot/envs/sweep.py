"""The evaluations in environments that one command asks for: each policy, from each seed."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from lerobot.core.config.base import EnvConfig, PolicyConfig
from lerobot.core.protocols import ActingPolicy
from lerobot.core.registry import registry
from lerobot.envs.actor import place_of
from lerobot.envs.benchmark import Evaluation
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.envs.journal import NAME as EPISODES
from lerobot.envs.journal import EpisodeJournal
from lerobot.envs.report import TaskResult, report, summary
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import PolicyFeatures

SEED_STRIDE = 1_000_000
"""Episode `k` of seed `s` starts from `s` times this, and `k` more: seeds share no episode, and starts that a benchmark
numbers come in its order."""
_FOLDERS = frozenset({"checkpoints", "pretrained_model"})
"""Folders of a training that tell no two policies apart."""


@dataclass(frozen=True, slots=True)
class Run:
    """A policy that plays every task from one seed.

    Attributes:
        label: name of the policy among those that are compared.
        policy: its configuration.
        seed: as `--eval.seeds` has it; None without.
        first_seed: what episode 0 starts from; episode `k` from `first_seed + k`.
        folder: of its episodes and videos.
    """

    label: str
    policy: PolicyConfig
    seed: int | None
    first_seed: int
    folder: Path

    @property
    def name(self) -> str:
        """Which of the runs it is."""
        return self.label if self.seed is None else f"{self.label} seed {self.seed}"


def runs_of(config: EvalPipelineConfig, folder: Path) -> list[Run]:
    """What a command asks for, policy after policy.

    Args:
        config: of the command.
        folder: of the evaluation; the only run there is has it for itself.
    """
    policies = [config.policy, *config.compare]
    starts: list[tuple[int | None, int]] = [(seed, seed * SEED_STRIDE) for seed in config.eval.seeds]
    starts = starts or [(None, config.seed)]
    runs = []
    for label, policy in zip(labels(policies), policies, strict=True):
        below = folder / label if config.compare else folder
        places = [below if seed is None else below / f"seed_{seed}" for seed, _ in starts]
        runs += [Run(label, policy, *start, place) for start, place in zip(starts, places, strict=True)]
    return runs


def labels(policies: Sequence[PolicyConfig]) -> list[str]:
    """Short names that tell policies apart: the end of their paths, as much as it takes."""
    paths = []
    for policy in policies:
        parts = [part for part in Path(policy.origin or policy.type).parts if part not in _FOLDERS]
        paths.append(["-".join(part.split()) for part in parts if part != "/"] or [policy.type])
    longest = max(map(len, paths))
    for length in range(1, longest + 1):
        names = ["-".join(path[-length:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [f"{name}-{number}" for number, name in enumerate(names)]


def settings_of(run: Run, config: EvalPipelineConfig) -> dict[str, Any]:
    """What decides which episodes a run has and how they go; how many are played at a time does not."""
    settings = config.model_dump(mode="json", include={"env", "rename_map"})
    settings["env"].pop("max_parallel_tasks", None)
    return {
        "policy": run.policy.model_dump(mode="json"),
        "env": settings["env"],
        "seed": run.first_seed,
        "rename_map": settings["rename_map"],
        "pretrained_path": run.policy.origin,
    }


class PolicyLoader:
    """Loads a policy when the first environment says what it shows, and keeps it.

    Args:
        policy: its configuration.
        rename_map: names in the environment: names in the policy.
    """

    def __init__(self, policy: PolicyConfig, rename_map: Mapping[str, str]) -> None:
        self._config = policy
        self._rename_map = rename_map
        self._loaded: PolicyWithProcessors | ActingPolicy | None = None

    def __call__(self, features: PolicyFeatures) -> PolicyWithProcessors | ActingPolicy:
        """The policy.

        Args:
            features: what the environment provides.

        Raises:
            LeRobotError: it cannot be loaded, or does not fit.
        """
        if self._loaded is None:
            self._loaded = self._load(features)
        return self._loaded

    def close(self) -> None:
        """Release what the policy holds, such as a connection."""
        if self._loaded is not None and not isinstance(self._loaded, PolicyWithProcessors):
            self._loaded.close()

    def _load(self, features: PolicyFeatures) -> PolicyWithProcessors | ActingPolicy:
        if not isinstance(self._config, PreTrainedConfig):
            place = place_of(features, "the environment", self._rename_map)
            acting: ActingPolicy = registry.implementation(self._config, self._config.acts)(self._config, place)
            return acting
        policy = make_policy(self._config, features, rename_map=self._rename_map)
        renamed = {key: new for key, new in self._rename_map.items() if key in features}
        return PolicyWithProcessors(policy, make_pre_post_processors(policy.config, rename_map=renamed))


def journals_of(runs: Sequence[Run], config: EvalPipelineConfig, *, resumable: bool) -> dict[str, EpisodeJournal]:
    """What every run keeps, by its name; a run that had not begun when the others were cut off begins now.

    Args:
        runs: all of them.
        config: of the command.
        resumable: there is something to resume even if no run kept anything.

    Raises:
        LeRobotError: there is nothing to resume, or it was made with other settings.
    """
    begun = {run.name for run in runs if (run.folder / EPISODES).exists()}
    if not begun and not resumable:
        begun = {run.name for run in runs}
    return {
        run.name: EpisodeJournal(run.folder, settings_of(run, config), resume=config.resume and run.name in begun)
        for run in runs
    }


def play_here(
    config: EvalPipelineConfig, env: EnvConfig, runs: Sequence[Run], journals: Mapping[str, EpisodeJournal]
) -> None:
    """Play what is missing in this process, one run after the other; a policy is loaded once for all seeds.

    Args:
        config: of the command.
        env: of the command.
        runs: which policies and seeds.
        journals: of the runs, by name.
    """
    for _, of_policy in groupby(runs, lambda run: run.label):
        same = list(of_policy)
        with closing(PolicyLoader(same[0].policy, config.rename_map)) as loader:
            for run in same:
                evaluation = Evaluation(
                    loader,
                    env,
                    config.eval,
                    seed=run.first_seed,
                    videos=run.folder / "videos",
                    rename_map=config.rename_map,
                )
                evaluation.played(journal=journals[run.name], trust_remote_code=config.trust_remote_code)


Played = Mapping[str, Sequence[TaskResult]]
"""By name of the run what it came to."""


def reports_of(runs: Sequence[Run], played: Played, env: EnvConfig, seconds: float) -> dict[str, dict[str, Any]]:
    """A report for every policy: its episodes of all seeds, and beside them `per_seed` if seeds were asked for.

    Args:
        runs: all of them.
        played: what they came to.
        env: where.
        seconds: how long it took, all runs together.
    """
    reports = {}
    for label, some in groupby(runs, lambda run: run.label):
        of_label = list(some)
        tasks: dict[tuple[str, int], list[TaskResult]] = {}
        for each in (result for run in of_label for result in played[run.name]):
            tasks.setdefault((each.group, each.task_id), []).append(each)
        merged = [
            TaskResult(*key, [episode for each in parts for episode in each.episodes], parts[0].description)
            for key, parts in tasks.items()
        ]
        reports[label] = report(merged, seconds=seconds, caveats=env.caveats())
        if of_label[0].seed is not None:
            reports[label]["per_seed"] = {
                str(run.seed): summary([episode for each in played[run.name] for episode in each.episodes])
                for run in of_label
            }
    return reports

"""Many tasks in one run: suites, tasks at a time, an evaluation that was killed and goes on, names that are wrong."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from pydantic import field_validator

from lerobot.core.config import load
from lerobot.core.errors import ConfigError, LeRobotError
from lerobot.core.registry import registry
from lerobot.envs.assembly import make_env
from lerobot.envs.benchmark import Evaluation
from lerobot.envs.command import eval_command
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.envs.config import BenchmarkEnvConfig, EvalConfig
from lerobot.envs.journal import NAME, EpisodeJournal
from lerobot.envs.report import Episode, wilson_interval
from lerobot.envs.suites import chosen

from .conftest import PointEnv

SUITES = {"low": ("stay low", "sink"), "high": ("rise up",)}


class TaskEnv(PointEnv):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.task_description = text

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        result = super().reset(seed=seed, options=options)
        # Every task starts from the seed in its own way.
        self.x = np.clip(self.x + 0.01 * len(self.task_description), 0.01, 0.99)
        return self._observation(), result[1]


class SuitesConfig(BenchmarkEnvConfig):
    target: ClassVar[str] = "unused"
    type: str = "suites"
    task: str = "low,high"
    number: int | None = None
    episode_length: int = 12

    @field_validator("task")
    @classmethod
    def _known(cls, task: str) -> str:
        return ",".join(chosen(task, SUITES, "suite"))

    def tasks(self) -> Mapping[str, Mapping[int, "SuitesConfig"]]:
        def one(suite: str, number: int) -> "SuitesConfig":
            return self.model_copy(update={"task": suite, "number": number})

        numbers = {suite: range(len(SUITES[suite])) for suite in self.task.split(",")}
        if self.number is not None:
            numbers = {suite: range(self.number, self.number + 1) for suite in numbers}
        return {suite: {number: one(suite, number) for number in each} for suite, each in numbers.items()}

    def caveats(self) -> list[str]:
        return ["points are not the benchmark's"]

    def build(self, **_: Any) -> TaskEnv:
        assert self.number is not None
        return TaskEnv(SUITES[self.task][self.number])


def run(trained: Any, env: Any, folder: Path | None = None, journal: Any = None, **config: Any) -> dict[str, Any]:
    asked: list[Any] = []

    def policy(features: Any) -> Any:
        asked.append(features)
        return trained

    settings = EvalConfig(**{"n_episodes": 5, "batch_size": 2, "use_async_envs": False, "n_videos": 0, **config})
    results = Evaluation(policy, env, settings, seed=3, videos=folder).run(journal=journal)
    assert len(asked) <= 1
    return results


def test_every_task_is_counted_in_its_suite(trained: Any, tmp_path: Path) -> None:
    results = run(trained, SuitesConfig(), tmp_path, n_videos=1)
    assert [(task["task_group"], task["task_id"], task["task"]) for task in results["per_task"]] == [
        ("low", 0, "stay low"),
        ("low", 1, "sink"),
        ("high", 0, "rise up"),
    ]
    successes = [task["metrics"]["successes"] for task in results["per_task"]]
    assert len({tuple(task["metrics"]["sum_rewards"]) for task in results["per_task"]}) == 3
    low = [*successes[0], *successes[1]]
    assert results["per_group"]["low"]["n_success"] == sum(low)
    assert results["per_group"]["low"]["pc_success_interval_95"] == pytest.approx(
        [100 * end for end in wilson_interval(sum(low), 10)]
    )
    assert results["overall"]["n_success"] == sum(map(sum, successes))
    assert (results["overall"]["n"], results["per_task"][2]["n"]) == (15, 5)
    assert results["caveats"] == ["points are not the benchmark's"]
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.mp4")) == [
        f"{task}/eval_episode_0.mp4" for task in ("high_0", "low_0", "low_1")
    ]


def test_tasks_at_a_time_and_batch_sizes_change_nothing(trained: Any) -> None:
    alone = run(trained, SuitesConfig(), batch_size=1)["per_task"]
    for at_once, batch_size in ((1, 3), (2, 1), (3, 2), (8, 0)):
        assert run(trained, SuitesConfig(max_parallel_tasks=at_once), batch_size=batch_size)["per_task"] == alone


def test_a_killed_evaluation_goes_on(trained: Any, tmp_path: Path) -> None:
    """Whatever line it was killed at, the rest is played and the report is that of an undisturbed one."""
    settings = {"seed": 3}
    with EpisodeJournal(tmp_path, settings) as journal:
        whole = run(trained, SuitesConfig(), journal=journal)
    lines = (tmp_path / NAME).read_text().splitlines(keepends=True)
    assert len(lines) == 16
    for kept in (1, 4, 9, 16):
        torn = "".join(lines[:kept]) + "".join(lines[kept:])[:20]
        (tmp_path / NAME).write_text(torn)
        with EpisodeJournal(tmp_path, settings, resume=True) as journal:
            results = run(trained, SuitesConfig(max_parallel_tasks=2), journal=journal)
        assert results["per_task"] == whole["per_task"]
        assert results["per_group"] == whole["per_group"]
        assert sorted((tmp_path / NAME).read_text().splitlines()) == sorted(line.strip() for line in lines)
    with EpisodeJournal(tmp_path, settings, resume=True) as journal:
        longer = run(trained, SuitesConfig(), journal=journal, n_episodes=6)
    assert [task["metrics"]["seeds"] for task in longer["per_task"]] == [list(range(3, 9))] * 3


def test_what_ended_is_not_played_again(trained: Any, tmp_path: Path) -> None:
    with EpisodeJournal(tmp_path, {}) as journal:
        journal.add("low", 1, "sink", Episode(2, 5, True, 77.0, 7.0, 3, Path("a.mp4")))
        metrics = run(trained, SuitesConfig(), journal=journal)["per_task"][1]["metrics"]
    assert metrics["sum_rewards"][2] == 77.0
    assert metrics["video_paths"] == ["a.mp4"]


def test_another_evaluation_is_not_taken_up(tmp_path: Path) -> None:
    with EpisodeJournal(tmp_path, {"seed": 3, "env": {"task": "low", "fps": 20}}) as journal:
        journal.add("low", 0, "stay low", Episode(0, 3, True, 1.0, 1.0, 2))
    with pytest.raises(LeRobotError, match=r"made with env\.fps 20, and now it is 10"):
        EpisodeJournal(tmp_path, {"seed": 3, "env": {"task": "low", "fps": 10}}, resume=True)
    with pytest.raises(LeRobotError, match="there is nothing to resume"):
        EpisodeJournal(tmp_path / "none", {}, resume=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [("lwo", "'lwo' is none, did you mean low"), ("low,zzz", "there are high, low"), (" , ", "a suite, or several")],
)
def test_wrong_names_answer_with_the_nearest(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SuitesConfig(task=text)


def test_one_environment_has_one_task() -> None:
    with pytest.raises(LeRobotError, match="names 3 tasks, low 0 to high 0"):
        make_env(SuitesConfig())
    make_env(SuitesConfig(task="low", number=1)).close()


@pytest.fixture
def registered() -> Iterator[None]:
    from .conftest import NoisyConfig

    with registry.temporary():
        registry.register("policy", "noisy", NoisyConfig)
        registry.register("env", "suites", SuitesConfig)
        yield


@pytest.mark.usefixtures("registered")
def test_the_command_resumes_into_the_same_report(trained: Any, tmp_path: Path) -> None:
    trained.save_pretrained(tmp_path / "policy")
    folder = tmp_path / "played"
    flags = [
        f"--policy.path={tmp_path / 'policy'}",
        f"--output_dir={folder}",
        "--env.type=suites",
        "--eval.n_episodes=3",
        "--eval.batch_size=2",
        "--eval.use_async_envs=false",
    ]
    eval_command(load(EvalPipelineConfig, flags).config)
    whole = json.loads((folder / "eval_info.json").read_text())
    assert len(list(folder.rglob("*.mp4"))) == 9
    lines = (folder / NAME).read_text().splitlines(keepends=True)
    (folder / NAME).write_text("".join(lines[:5]))
    eval_command(load(EvalPipelineConfig, [*flags, "--resume=true", "--env.max_parallel_tasks=3"]).config)
    assert json.loads((folder / "eval_info.json").read_text())["per_task"] == whole["per_task"]
    with pytest.raises(LeRobotError, match=r"made with seed 1000, and now it is 5"):
        eval_command(load(EvalPipelineConfig, [*flags, "--resume=true", "--seed=5"]).config)
    with pytest.raises(ConfigError, match="output_dir"):
        load(EvalPipelineConfig, [*(flag for flag in flags if "output_dir" not in flag), "--resume=true"])

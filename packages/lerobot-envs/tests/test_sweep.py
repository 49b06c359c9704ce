"""Several policies and seeds, here and on engines: the same episodes, kept in the same places."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lerobot.core.config import load
from lerobot.core.errors import ConfigError, LeRobotError
from lerobot.core.registry import registry
from lerobot.core.testing.plugins import PluginFolder
from lerobot.envs.command import eval_command
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.envs.comparison import success_plot, success_table
from lerobot.envs.journal import NAME
from lerobot.envs.report import Episode, TaskResult, report
from lerobot.envs.sweep import labels
from lerobot.jobs.config import ExecutorConfig
from lerobot.jobs.job import run_job
from lerobot.jobs.shard import run_shard

from .conftest import NoisyConfig

PLUGIN = """
import sys

sys.path.insert(0, {tests!r})
from conftest import NoisyConfig as Noisy
from conftest import PointEnvConfig


class NoisyConfig(Noisy):
    target = "conftest:NoisyPolicy"


class TwoTasks(PointEnvConfig):
    type: str = "two"
    number: int | None = None

    def tasks(self):
        numbers = (0, 1) if self.number is None else (self.number,)
        return {{"points": {{number: self.model_copy(update={{"number": number}}) for number in numbers}}}}

    def build(self, **more):
        env = super().build(**more)
        env.task_description = f"task {{self.number}}"
        return env
"""


class HereConfig(ExecutorConfig):
    target = f"{__name__}:Here"
    type: str = "here"


class Here:
    """An engine that starts no process."""

    def __init__(self, config: HereConfig) -> None: ...

    def run(self, plan_file: Path, shards: Sequence[int], ended: Callable[[int], None]) -> None:
        for shard in shards:
            run_shard(plan_file, shard)
            ended(shard)


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The policy and an environment with two tasks, for processes too."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    plugins = PluginFolder(site, registry)
    entries = {"policy": {"noisy": "points_plugin:NoisyConfig"}, "env": {"two": "points_plugin:TwoTasks"}}
    plugins.install("points", entries, {"points_plugin": PLUGIN.format(tests=str(Path(__file__).parent))})
    with registry.temporary():
        registry.register("executor", "here", HereConfig)
        yield
    plugins.forget_modules()
    registry.refresh()


@pytest.fixture
def flags(trained: Any, tmp_path: Path) -> list[str]:
    for name in ("a", "b"):
        trained.policy.net[0].bias.data += 0.3
        trained.save_pretrained(tmp_path / name / "pretrained_model")
    return [
        f"--policy.path={tmp_path / 'a' / 'pretrained_model'}",
        "--env.type=two",
        "--eval.n_episodes=4",
        "--eval.n_videos=1",
        "--eval.batch_size=1",
        "--eval.shard_episodes=3",
    ]


def played(flags: list[str], folder: Path, *more: str) -> dict[str, Any]:
    """Everything that an evaluation leaves behind, but for what tells how long it took, and where it is."""
    eval_command(load(EvalPipelineConfig, [*flags, f"--output_dir={folder}", *more]).config)
    found: dict[str, Any] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name, text = str(path.relative_to(folder)), path.read_bytes()
        if path.suffix == ".json":
            results = json.loads(text.replace(str(folder).encode(), b""))
            for timing in ("eval_s", "eval_ep_s"):
                results["overall"].pop(timing)
            found[name] = results
        elif path.suffix == ".jsonl":
            found[name] = sorted(text.replace(str(folder).encode(), b"").splitlines())
        else:
            found[name] = text
    return found


def sweep(tmp_path: Path) -> list[str]:
    return [f"--compare=[{{path: {tmp_path / 'b' / 'pretrained_model'}}}]", "--eval.seeds=[0,7]"]


def test_two_workers_leave_what_one_process_leaves(flags: list[str], tmp_path: Path) -> None:
    here = played(flags, tmp_path / "here", *sweep(tmp_path))
    assert set(here) == {
        "success.md",
        "success.svg",
        "a/eval_info.json",
        "b/eval_info.json",
        *(f"{policy}/seed_{seed}/{NAME}" for policy in "ab" for seed in (0, 7)),
        *(
            f"{policy}/seed_{seed}/videos/points_{task}/eval_episode_0.mp4"
            for policy in "ab"
            for seed in (0, 7)
            for task in (0, 1)
        ),
    }
    metrics = here["a/eval_info.json"]["per_task"][0]["metrics"]
    assert metrics["seeds"] == [0, 1, 2, 3, 7_000_000, 7_000_001, 7_000_002, 7_000_003]
    assert len(set(metrics["sum_rewards"])) == 8
    assert metrics["sum_rewards"] != here["b/eval_info.json"]["per_task"][0]["metrics"]["sum_rewards"]
    assert here["a/eval_info.json"]["per_seed"]["7"]["n"] == 8
    workers = ("--executor.type=local", "--executor.workers=2")
    assert played(flags, tmp_path / "there", *sweep(tmp_path), *workers) == here
    assert not (tmp_path / "there" / ".job").exists()


def test_one_policy_from_one_seed_leaves_what_it_always_left(flags: list[str], tmp_path: Path) -> None:
    here = played(flags, tmp_path / "here", "--seed=5")
    assert [name for name in here if name.endswith(".json") or "/" not in name] == [NAME, "eval_info.json"]
    assert set(here["eval_info.json"]) == {"per_task", "per_group", "overall", "caveats"}
    assert played(flags, tmp_path / "there", "--seed=5", "--executor.type=here") == here


def test_an_evaluation_that_was_cut_off_plays_what_is_missing(
    flags: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off before its commit, and asked for more episodes then: what was played is not played again."""
    whole = played([*flags, "--eval.n_episodes=6"], tmp_path / "whole")
    folder, engine = tmp_path / "cut", "--executor.type=here"

    def cut(*given: Any) -> None:
        run_job(*given[:3], lambda results: os.truncate(next((folder / ".job/receipts").iterdir()), 3))
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lerobot.jobs.job.discard", lambda job: None)
        patch.setattr("lerobot.envs.shards.run_job", cut)
        with pytest.raises(KeyboardInterrupt):
            played(flags, folder, engine)
    with pytest.raises(LeRobotError, match="was made with seed 1000, and now it is 3"):
        played(flags, folder, engine, "--resume=true", "--seed=3")
    rows: list[list[int]] = []

    def looking(*given: Any) -> Any:
        rows.extend(shard.row["episodes"] for shard in given[0].shards)
        return run_job(*given)

    monkeypatch.setattr("lerobot.envs.shards.run_job", looking)
    assert played([*flags, "--eval.n_episodes=6"], folder, engine, "--resume=true") == whole
    assert sorted(rows) in ([[0, 1, 2], [4, 5], [4, 5]], [[3, 4, 5], [4, 5]])
    shutil.rmtree(folder)
    with pytest.raises(LeRobotError, match="nothing to resume"):
        played(flags, folder, engine, "--resume=true")


def test_what_does_not_go_together_is_refused(flags: list[str], tmp_path: Path) -> None:
    for more, said in (
        (("--eval.seeds=[0]", "--seed=3"), "--seed or --eval.seeds"),
        (("--eval.seeds=[4,4]",), "once"),
        (("--eval.seeds=[4000]",), "less than 4000"),
    ):
        with pytest.raises(ConfigError, match=said):
            load(EvalPipelineConfig, [*flags, *more])
    robot = [f"--policy.path={tmp_path / 'a' / 'pretrained_model'}", "--robot.type=fake"]
    for flag in ("--eval.seeds=[1]", "--executor.type=local", sweep(tmp_path)[0]):
        with pytest.raises(ConfigError, match="belongs to --env"):
            load(EvalPipelineConfig, [*robot, flag])


def test_labels_are_as_long_as_it_takes() -> None:
    def of(*paths: str) -> list[str]:
        return labels([NoisyConfig(pretrained_path=path) for path in paths])

    assert of("outputs/train/act/checkpoints/last/pretrained_model") == ["last"]
    assert of("train/act/checkpoints/last", "train/vqbet/checkpoints/last") == ["act-last", "vqbet-last"]
    assert of("act/checkpoints/010000", "act/checkpoints/020000") == ["010000", "020000"]
    assert of("lab/act", "lab/act") == ["lab-act-0", "lab-act-1"]
    assert labels([NoisyConfig()]) == ["noisy"]


def test_the_table_and_the_plot_say_rates_and_intervals() -> None:
    """81 of 263: Newcombe 1998, see `test_report`."""
    episodes = [Episode(index, index, index < 81, 1.0, 1.0, 5) for index in range(263)]
    nothing = [Episode(index, index, False, 0.0, 0.0, 5) for index in range(20)]
    reports = {
        "good|one": report([TaskResult("pusht", 0, episodes)], seconds=1.0),
        "<bad>": report([TaskResult("pusht", 0, nothing)], seconds=1.0),
    }
    table = success_table(reports)
    assert "| good\\|one | pusht 0 | 30.8 % | 25.5 to 36.6 % | 81 | 263 |" in table
    assert "| <bad> | pusht 0 | 0.0 % | 0.0 to 16.1 % | 0 | 20 |" in table
    plot = success_plot(reports)
    assert "&lt;bad&gt;" in plot
    assert "<bad>" not in plot
    import xml.etree.ElementTree as tree

    circles = list(tree.fromstring(plot).iter("{http://www.w3.org/2000/svg}circle"))
    lines = [path.get("d") for path in tree.fromstring(plot).iter("{http://www.w3.org/2000/svg}path")]
    assert [float(circle.get("cx") or 0) for circle in circles] == pytest.approx([240 + 424 * 81 / 263, 240], abs=0.06)
    assert any(line and line.startswith("M240.0 ") and "H308." in line for line in lines)

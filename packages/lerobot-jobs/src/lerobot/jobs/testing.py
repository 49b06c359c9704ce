"""What every engine has to do, as tests: a subclass gives its configuration in the fixture `executor`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lerobot.core.errors import JobError
from lerobot.core.json_file import read_json
from lerobot.core.registry import registry
from lerobot.core.testing.plugins import PluginFolder
from lerobot.jobs.config import ExecutorConfig
from lerobot.jobs.job import Results, run_job
from lerobot.jobs.plan import Plan
from lerobot.jobs.shard import run_shard

WORKER = '''
import os
import signal
import time
from pathlib import Path

from lerobot.core.errors import DatasetError


def count(row, settings, folder):
    """Writes a number; begins are noted in a file, and a row may ask for a death, a failure or a while."""
    with Path(settings["log"]).open("a") as log:
        log.write(f"{row['number']}\\n")
    begun = Path(settings["log"]).read_text().split().count(str(row["number"]))
    if begun <= row.get("deaths", 0):
        os.kill(os.getpid(), signal.SIGKILL)
    if row.get("fails"):
        raise DatasetError("file 7 is damaged", hint="mend it")
    time.sleep(row.get("seconds", 0))
    (folder / "deep").mkdir()
    (folder / "deep" / "number.txt").write_text(str(row["number"] * settings["factor"]))
    return {"number": row["number"] * settings["factor"]}
'''


class ExecutorContract:
    """Inherit and define `executor`; processes of the engine must see `PYTHONPATH`."""

    @pytest.fixture
    def executor(self) -> ExecutorConfig:
        """The engine's configuration."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _worker(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """A worker that is installed for every process."""
        site = tmp_path / "site"
        site.mkdir()
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.setenv("PYTHONPATH", str(site))
        plugins = PluginFolder(site, registry)
        plugins.install("counting-worker", {"worker": {"count": "counting_worker:count"}}, {"counting_worker": WORKER})
        yield
        plugins.forget_modules()
        registry.refresh()

    @staticmethod
    def plan(tmp_path: Path, rows: list[dict[str, object]]) -> Plan:
        """A plan of the worker."""
        return Plan.of("count", {"factor": 10, "log": str(tmp_path / "log")}, rows)

    @staticmethod
    def begun(tmp_path: Path) -> list[str]:
        """Numbers of the rows that were begun, in order."""
        log = tmp_path / "log"
        return log.read_text(encoding="utf-8").split() if log.exists() else []

    def test_results_are_committed_once_and_in_the_order_of_the_plan(
        self, tmp_path: Path, executor: ExecutorConfig
    ) -> None:
        """The commit sees every result once, in the order of the plan, and the folder is gone then."""
        plan = self.plan(tmp_path, [{"number": number} for number in range(5)])
        job = tmp_path / "job"
        seen: list[tuple[int, int]] = []

        def commit(results: Results) -> list[str]:
            assert [result.data for result in results] == [{"number": 10 * number} for number in range(5)]
            return [(result.folder / "deep" / "number.txt").read_text(encoding="utf-8") for result in results]

        written = run_job(plan, job, executor, commit, lambda done, total: seen.append((done, total)))
        assert written == ["0", "10", "20", "30", "40"]
        assert seen == [(done, 5) for done in range(6)]
        assert sorted(self.begun(tmp_path)) == ["0", "1", "2", "3", "4"]
        assert not list(tmp_path.glob("job*"))

    def test_only_what_is_left_is_done_after_a_cut(self, tmp_path: Path, executor: ExecutorConfig) -> None:
        """A shard with a receipt is not done again."""
        plan = self.plan(tmp_path, [{"number": number} for number in range(3)])
        job = tmp_path / "job"
        job.mkdir()
        (job / "plan.json").write_text(plan.to_json(), encoding="utf-8")
        run_shard(job / "plan.json", 1)
        assert run_job(plan, job, executor, lambda results: [result.data["number"] for result in results]) == [
            0,
            10,
            20,
        ]
        assert self.begun(tmp_path)[0] == "1"
        assert sorted(self.begun(tmp_path)) == ["0", "1", "2"]

    def test_a_shard_whose_process_dies_is_begun_again(self, tmp_path: Path, executor: ExecutorConfig) -> None:
        """A killed process costs its shard's time and nothing else."""
        plan = self.plan(tmp_path, [{"number": 0}, {"number": 1, "deaths": 1}])
        assert run_job(plan, tmp_path / "job", executor, len) == 2
        assert sorted(self.begun(tmp_path)) == ["0", "1", "1"]

    def test_a_shard_that_fails_is_named_and_what_is_done_is_kept(
        self, tmp_path: Path, executor: ExecutorConfig
    ) -> None:
        """An error of a worker ends the job with its own words."""
        plan = self.plan(tmp_path, [{"number": 0}, {"number": 1, "fails": True, "seconds": 0.1}])
        with pytest.raises(JobError, match=r"shard 1 .*file 7 is damaged") as failed:
            run_job(plan, tmp_path / "job", executor, len)
        assert failed.value.hint == "mend it"
        (tmp_path / "job" / "plan.json").read_text(encoding="utf-8")

    def test_every_engine_writes_the_same_results(self, tmp_path: Path, executor: ExecutorConfig) -> None:
        """The same bytes as in one process, one shard after another."""
        plan = self.plan(tmp_path, [{"number": number} for number in range(3)])
        job, here = tmp_path / "job", tmp_path / "here"
        run_job(plan, job, executor, len, keep=True)
        here.mkdir()
        (here / "plan.json").write_text(plan.to_json(), encoding="utf-8")
        for index in range(3):
            run_shard(here / "plan.json", index)
        assert result_files(job) == result_files(here)
        for receipt in (here / "receipts").iterdir():
            mine, other = (read_json(folder / "receipts" / receipt.name) for folder in (here, job))
            assert mine["files"] == other["files"]
            assert mine["data"] == other["data"]


def result_files(job: Path) -> dict[str, bytes]:
    """Every file that the shards of a job wrote, by path."""
    shards = job / "shards"
    return {str(path.relative_to(shards)): path.read_bytes() for path in shards.rglob("*") if path.is_file()}

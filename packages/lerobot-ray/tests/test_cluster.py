"""The engine `ray` on a cluster of two nodes, which takes twenty seconds to start."""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lerobot.core.errors import JobError
from lerobot.core.signals import StopSignals, stop_signals
from lerobot.jobs.job import run_job
from lerobot.jobs.shard import run_shard
from lerobot.jobs.testing import ExecutorContract, result_files
from lerobot.ray.config import RayExecutorConfig

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        from ray.cluster_utils import Cluster

        cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        cluster.add_node(num_cpus=1)
        yield cluster.address
        cluster.shutdown()


def workers() -> list[psutil.Process]:
    """Processes of the cluster that do shards now."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name().startswith("ray::lerobot shard"):
                found.append(process)
    return found


class TestRay(ExecutorContract):
    @pytest.fixture
    def executor(self, address: str, tmp_path: Path) -> RayExecutorConfig:
        found = {"PYTHONPATH": str(tmp_path / "site")}
        return RayExecutorConfig(address=address, attempts=30, runtime_env={"env_vars": found})

    def test_both_nodes_work(self, tmp_path: Path, executor: RayExecutorConfig) -> None:
        plan = self.plan(tmp_path, [{"number": number, "seconds": 1.0} for number in range(2)])
        begun = time.monotonic()
        together = threading.Event()

        def watch() -> None:
            while time.monotonic() - begun < 200 and not together.is_set():
                if len(workers()) == 2:
                    together.set()
                time.sleep(0.05)

        watcher = threading.Thread(target=watch)
        watcher.start()
        run_job(plan, tmp_path / "job", executor, len)
        assert together.is_set()
        watcher.join()

    def test_a_folder_that_is_not_shared_is_said(self, tmp_path: Path, executor: RayExecutorConfig) -> None:
        plan = self.plan(tmp_path, [{"number": number} for number in range(3)])
        job = tmp_path / "job"
        hidden = tmp_path / "site" / "hidden.py"
        hidden.write_text(
            "import pathlib\n"
            "is_file = pathlib.Path.is_file\n"
            "pathlib.Path.is_file = lambda path, **more: path.name != 'plan.json' and is_file(path, **more)\n"
        )
        (tmp_path / "site" / "sitecustomize.py").write_text("import hidden\n")
        with pytest.raises(JobError, match=r"does not see .*plan\.json") as told:
            run_job(plan, job, executor, len)
        assert "NFS" in told.value.expected
        assert not self.begun(tmp_path)

    def test_twenty_workers_are_killed(self, tmp_path: Path, executor: RayExecutorConfig) -> None:
        plan = self.plan(tmp_path, [{"number": number, "seconds": 0.3} for number in range(12)])
        killed: list[int] = []
        over = threading.Event()

        def kill() -> None:
            while len(killed) < 20 and not over.is_set():
                time.sleep(0.1 + 0.03 * (len(killed) % 7))
                for process in workers()[:1]:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()
                        killed.append(process.pid)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            run_job(plan, tmp_path / "job", executor, len, keep=True)
        finally:
            over.set()
            killer.join()
        print(f"{len(killed)} workers killed")
        assert len(killed) >= 20
        here = tmp_path / "here"
        here.mkdir()
        (here / "plan.json").write_text(plan.to_json(), encoding="utf-8")
        for index in range(12):
            run_shard(here / "plan.json", index)
        assert result_files(tmp_path / "job") == result_files(here)

    def test_ctrl_c_kills_the_tasks(self, tmp_path: Path, executor: RayExecutorConfig) -> None:
        plan = self.plan(tmp_path, [{"number": 0, "seconds": 60}])

        def press() -> None:
            while not self.begun(tmp_path):
                time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGINT)

        presser = threading.Thread(target=press)
        presser.start()
        with StopSignals(), stop_signals().graceful(), pytest.raises(KeyboardInterrupt):
            run_job(plan, tmp_path / "job", executor, len)
        presser.join()
        until = time.monotonic() + 60
        while workers():
            assert time.monotonic() < until
            time.sleep(0.1)


def test_no_cluster_at_the_address_is_said(tmp_path: Path) -> None:
    plan = ExecutorContract.plan(tmp_path, [{"number": 0}])
    with pytest.raises(JobError, match=r"no Ray cluster at 127\.0\.0\.1:1"):
        run_job(plan, tmp_path / "job", RayExecutorConfig(address="127.0.0.1:1"), len)


def test_a_trainer_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "lerobot.ray.trainer", raising=False)
    monkeypatch.setitem(sys.modules, "ray.train", None)
    with pytest.raises(JobError, match=r"Ray's trainer cannot be imported") as told:
        RayExecutorConfig().build().launch(["train"], nodes=1, processes_per_node=1, log_folder=tmp_path)
    assert "lerobot-ray[train]" in told.value.hint


@pytest.mark.filterwarnings("ignore::Warning")  # of Ray about itself
def test_a_command_is_launched_in_two_processes(address: str, tmp_path: Path) -> None:
    engine = RayExecutorConfig(address=address).build()
    engine.launch(["--version"], nodes=2, processes_per_node=1, log_folder=tmp_path / "logs")
    with pytest.raises(JobError, match="ended with code 2"):
        engine.launch(["no-such-command"], nodes=2, processes_per_node=1, log_folder=tmp_path / "other")

"""The engine `slurm` on a cluster of one machine, whose sbatch really runs the tasks."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lerobot.core.errors import JobError
from lerobot.core.signals import StopSignals, stop_signals
from lerobot.jobs.job import run_job
from lerobot.jobs.launch import launcher
from lerobot.jobs.shard import run_shard
from lerobot.jobs.testing import ExecutorContract, result_files
from lerobot.slurm.config import SlurmExecutorConfig
from lerobot.slurm.stand_in import jobs

DRIVER = """
import sys
from pathlib import Path

from lerobot.jobs.job import run_job
from lerobot.jobs.plan import load_plan
from lerobot.slurm.config import SlurmExecutorConfig

executor = SlurmExecutorConfig(poll_s=0.1, workers=2, attempts=100)
run_job(load_plan(Path(sys.argv[1])), Path(sys.argv[2]), executor, len, keep=True)
"""


def quick(**fields: object) -> SlurmExecutorConfig:
    return SlurmExecutorConfig.model_validate({"poll_s": 0.1, **fields})


@pytest.mark.usefixtures("cluster")
@pytest.mark.timeout(120)
class TestSlurm(ExecutorContract):
    @pytest.fixture
    def executor(self) -> SlurmExecutorConfig:
        return quick(workers=2)

    @pytest.mark.slow
    def test_a_shard_that_always_dies_ends_the_job(self, tmp_path: Path) -> None:
        plan = self.plan(tmp_path, [{"number": 0, "deaths": 9}])
        with pytest.raises(JobError, match=r"shard 0 failed: 2 tasks ended without a result, at last as FAILED, .*0:9"):
            run_job(plan, tmp_path / "job", quick(attempts=2), len)
        assert self.begun(tmp_path) == ["0", "0"]

    @pytest.mark.slow
    def test_large_plans_are_several_arrays_that_wait_for_each_other(
        self, tmp_path: Path, cluster: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STAND_IN_MAX_ARRAY", "2")
        plan = self.plan(tmp_path, [{"number": number} for number in range(5)])
        with pytest.raises(JobError, match=r"sbatch failed: sbatch: error: .*Invalid job array specification"):
            run_job(plan, tmp_path / "job", quick(), len)
        assert not self.begun(tmp_path)
        run_job(plan, tmp_path / "job", quick(max_array=2, workers=1), len)
        given = [content["given"] for content in jobs(cluster).values()]
        assert [each["--array"] for each in given] == ["0-1%1", "0-1%1", "0%1"]
        assert [each.get("--dependency") for each in given] == [None, "afterany:100", "afterany:101"]
        assert self.begun(tmp_path) == ["0", "1", "2", "3", "4"]

    def test_what_is_in_the_queue_is_found_again(self, tmp_path: Path, cluster: Path) -> None:
        """Written, submitted by hand, waited for."""
        plan = self.plan(tmp_path, [{"number": 0}, {"number": 1, "seconds": 1.0}])
        with pytest.raises(JobError, match="2 shards wait for being submitted") as told:
            run_job(plan, tmp_path / "job", quick(submit=False), len)
        assert not jobs(cluster)
        subprocess.run(["bash", "-c", told.value.expected], check=True, timeout=60)
        assert run_job(plan, tmp_path / "job", quick(), len) == 2
        assert len(jobs(cluster)) == 1
        assert sorted(self.begun(tmp_path)) == ["0", "1"]

    @pytest.mark.slow
    def test_a_cancelled_task_ends_the_job(self, tmp_path: Path, cluster: Path) -> None:
        plan = self.plan(tmp_path, [{"number": 0, "seconds": 60}])
        cancel = f"until [ -e '{cluster}/100.json' ]; do sleep 0.05; done; exec scancel 100"
        with subprocess.Popen(["bash", "-c", cancel]), pytest.raises(JobError, match="at last as CANCELLED"):
            run_job(plan, tmp_path / "job", quick(), len)

    @pytest.mark.slow
    def test_a_busy_controller_is_asked_again(self, tmp_path: Path, cluster: Path) -> None:
        plan = self.plan(tmp_path, [{"number": 0, "seconds": 0.5}])
        busy = "until [ -e 100.json ]; do sleep 0.05; done; touch busy; sleep 1.5; rm busy"
        with subprocess.Popen(["bash", "-c", busy], cwd=cluster):
            assert run_job(plan, tmp_path / "job", quick(), len) == 1
        assert self.begun(tmp_path) == ["0"]

    @pytest.mark.parametrize("cancel", [False, pytest.param(True, marks=pytest.mark.slow)])
    def test_ctrl_c_leaves_the_tasks_or_cancels_them(
        self, tmp_path: Path, cluster: Path, cancel: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        plan = self.plan(tmp_path, [{"number": 0, "seconds": 2.0}])
        press = f"until [ -e '{tmp_path}/log' ]; do sleep 0.05; done; exec kill -INT {os.getpid()}"
        with (
            subprocess.Popen(["bash", "-c", press]),
            caplog.at_level("INFO"),
            StopSignals(),
            stop_signals().graceful(),
            pytest.raises(KeyboardInterrupt),
        ):
            run_job(plan, tmp_path / "job", quick(cancel=cancel), len)
        assert ("scancel 100" in caplog.text) is not cancel
        states = set()
        until = time.monotonic() + 60
        while not states or states & {"PENDING", "RUNNING"}:
            states = {task["state"].split()[0] for task in jobs(cluster)["100"]["tasks"].values()}
            assert time.monotonic() < until
        assert states == {"CANCELLED" if cancel else "COMPLETED"}
        assert run_job(plan, tmp_path / "job", quick(), len) == 1
        assert self.begun(tmp_path) == (["0", "0"] if cancel else ["0"])

    @pytest.mark.slow
    @pytest.mark.timeout(400)
    def test_twenty_tasks_and_four_drivers_are_killed(self, tmp_path: Path, cluster: Path) -> None:
        plan = self.plan(tmp_path, [{"number": number, "seconds": 0.3} for number in range(12)])
        (tmp_path / "plan.json").write_text(plan.to_json(), encoding="utf-8")
        command = [sys.executable, "-c", DRIVER, str(tmp_path / "plan.json"), str(tmp_path / "job")]
        kills = drivers = 0
        process = subprocess.Popen(command)
        try:
            while kills < 20:
                assert process.poll() is None
                time.sleep(0.05 + 0.03 * (kills % 7))
                tasks = [task for content in jobs(cluster).values() for task in content["tasks"].values()]
                for task in [task for task in tasks if task["state"] == "RUNNING"][:1]:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(task["pid"], signal.SIGKILL)
                        kills += 1
                if drivers < kills // 5:
                    process.kill()
                    process.wait()
                    process = subprocess.Popen(command)
                    drivers += 1
            assert process.wait(300) == 0
        finally:
            process.kill()
            process.wait()
        assert drivers == 4
        here = tmp_path / "here"
        here.mkdir()
        (here / "plan.json").write_text(plan.to_json(), encoding="utf-8")
        for index in range(12):
            run_shard(here / "plan.json", index)
        assert result_files(tmp_path / "job") == result_files(here)


def test_without_a_cluster_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JobError, match="there is no sbatch on this machine"):
        launcher(quick().build(), "slurm").launch(
            ["train"], nodes=1, processes_per_node=1, log_folder=tmp_path / "logs"
        )


def test_the_script_asks_for_what_the_flags_say(tmp_path: Path) -> None:
    engine = quick(
        submit=False,
        partition="long",
        account="lab",
        time="1-12:00:00",
        memory="64G",
        cpus=8,
        gpus=4,
        sbatch=["--constraint=a100"],
        setup=["module load cuda"],
    ).build()
    logs = tmp_path / "100% of it's logs"
    engine.launch(["train", "--steps=3", "--job_name=a b"], nodes=2, processes_per_node=4, log_folder=logs)
    script = (logs / "train.sbatch").read_text()
    options = [line.removeprefix("#SBATCH ") for line in script.splitlines() if line.startswith("#SBATCH")]
    assert set(options) == {
        "--job-name=lerobot-train",
        "--nodes=2",
        "--ntasks-per-node=1",
        f'--output="{tmp_path}/100%% of it\'s logs/%j.out"',
        "--partition=long",
        "--account=lab",
        "--time=1-12:00:00",
        "--mem=64G",
        "--cpus-per-task=8",
        "--gres=gpu:4",
        "--constraint=a100",
    }
    assert script.index("module load cuda") < script.index("exec srun")
    assert "--nnodes=2 --nproc-per-node=4" in script
    assert script.endswith("--module lerobot_cli train --steps=3 '--job_name=a b'\n")
    subprocess.run(["bash", "-n", logs / "train.sbatch"], check=True, timeout=30)


@pytest.mark.parametrize(
    "fields",
    [{"time": "two hours"}, {"partition": "a b"}, {"sbatch": ["constraint"]}, {"setup": ["a\nb"]}, {"memory": "1.5G"}],
)
def test_what_would_break_a_script_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="should match pattern"):
        quick(**fields)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_command_is_launched_in_two_processes(tmp_path: Path, cluster: Path) -> None:
    quick().build().launch(["--version"], nodes=1, processes_per_node=2, log_folder=tmp_path / "logs")
    while jobs(cluster)["100"]["tasks"]["0"]["state"] in {"PENDING", "RUNNING"}:
        time.sleep(0.1)
    assert (tmp_path / "logs" / "100.out").read_text().count("lerobot-core") == 2

"""The engine on this machine."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lerobot.core.errors import JobError
from lerobot.jobs.config import LocalExecutorConfig
from lerobot.jobs.job import run_job
from lerobot.jobs.testing import ExecutorContract

DRIVER = """
import sys
from pathlib import Path

from lerobot.core.signals import StopSignals, stop_signals
from lerobot.jobs.config import LocalExecutorConfig
from lerobot.jobs.job import run_job
from lerobot.jobs.plan import load_plan

with StopSignals(), stop_signals().graceful():
    run_job(load_plan(Path(sys.argv[1])), Path(sys.argv[2]), LocalExecutorConfig(workers=2), len, keep=True)
"""


class TestLocal(ExecutorContract):
    @pytest.fixture
    def executor(self) -> LocalExecutorConfig:
        return LocalExecutorConfig(workers=2)

    def test_a_shard_that_always_dies_ends_the_job(self, tmp_path: Path) -> None:
        plan = self.plan(tmp_path, [{"number": 0, "deaths": 9}])
        with pytest.raises(JobError, match=r"shard 0 failed: its process died 2 times, at last by signal 9"):
            run_job(plan, tmp_path / "job", LocalExecutorConfig(workers=1, attempts=2), len)

    @pytest.mark.timeout(60)
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
    def test_a_driver_that_ends_takes_its_processes_along(self, tmp_path: Path, number: signal.Signals) -> None:
        plan = self.plan(tmp_path, [{"number": 0}, {"number": 1, "seconds": 60}])
        (tmp_path / "plan.json").write_text(plan.to_json(), encoding="utf-8")
        job = tmp_path / "job"
        command = [sys.executable, "-c", DRIVER, str(tmp_path / "plan.json"), str(job)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ) as driver:
            while len(self.begun(tmp_path)) < 2 or not list(job.glob("receipts/*")):
                assert driver.poll() is None, driver.stderr and driver.stderr.read()
                time.sleep(0.05)
            workers = psutil.Process(driver.pid).children(recursive=True)
            driver.send_signal(number)
            driver.communicate()
        _, alive = psutil.wait_procs(workers, timeout=20)
        assert not alive
        assert len(list(job.glob("receipts/*"))) == 1

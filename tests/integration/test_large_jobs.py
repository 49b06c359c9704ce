"""Large jobs on every engine: the same bytes, whoever is killed when, and nothing half-made in sight."""

import contextlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import psutil
import pyarrow.parquet as pq
import pytest
from large_jobs import JOBS, Here, arguments, content, run, write_inputs

from lerobot.core.config import load
from lerobot.core.errors import DatasetError, JobError
from lerobot.dataset_tools.commands.edit_dataset import EditDatasetConfig
from lerobot.dataset_tools.edit.command import edit_dataset
from lerobot.dataset_tools.edit.job import job_folder
from lerobot.jobs.config import LocalExecutorConfig

HERE = "--executor.type=local"
ENGINES = {"two processes": ("--executor.type=local", "--executor.workers=2")}
"""Flags by engine; what each makes is compared with what is made here, one shard after another."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    write_inputs(folder, frames=4)
    return folder


@pytest.fixture(scope="module")
def expected(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """What each job comes to, done here, one shard after another."""
    folder = tmp_path_factory.mktemp("expected")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalExecutorConfig, "build", lambda _config: Here())
        for job in JOBS:
            run(job, inputs, folder / job, HERE)
    return {job: content(folder / job) for job in JOBS}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "job", ["reencode", *(pytest.param(job, marks=pytest.mark.slow) for job in ("import", "statistics"))]
)
def test_every_engine_makes_the_same_bytes(
    inputs: Path, expected: dict[str, dict[str, bytes]], tmp_path: Path, job: str, engine: str
) -> None:
    run(job, inputs, tmp_path / "set", *ENGINES[engine])
    assert content(tmp_path / "set") == expected[job]
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize("job", JOBS)
def test_the_result_is_that_of_a_command_without_an_engine(
    inputs: Path, expected: dict[str, dict[str, bytes]], tmp_path: Path, job: str
) -> None:
    run(job, inputs, tmp_path / "set")
    found = content(tmp_path / "set")
    assert found.keys() == expected[job].keys()
    # A recording writes rows and the table of episodes by episode, so their row groups are others; no value is.
    tables = [name for name in found if job == "import" and name.startswith(("data/", "meta/episodes/"))]
    assert [name for name in found if found[name] != expected[job][name] and name not in tables] == []
    for name in tables:
        (tmp_path / "table").write_bytes(expected[job][name])
        assert pq.read_table(tmp_path / "set" / name).equals(pq.read_table(tmp_path / "table"))


class Killer:
    """Runs a command again and again, killing its workers and itself at random, until it ends by itself.

    Args:
        command: what to run.
        result: folder of the dataset that it makes.
        whole: what that holds, as soon as it is there.
        seed: of the instants.
    """

    def __init__(self, command: list[str], result: Path, whole: dict[str, bytes], seed: int) -> None:
        self._command = [sys.executable, "-m", "lerobot_cli", *command]
        self._result = result
        self._whole = whole
        self._random = random.Random(seed)
        self.workers = 0
        self.drivers = 0

    def run(self, *, workers: int, drivers: int) -> None:
        """Kill at most so many of each, then let the command end."""
        workers, drivers = self.workers + workers, self.drivers + drivers
        while True:
            with self._driver() as driver:
                while driver.poll() is None:
                    time.sleep(self._random.uniform(0.05, 1.5))
                    with contextlib.suppress(psutil.NoSuchProcess):
                        self._kill_one(psutil.Process(driver.pid), workers, drivers)
                    self._look()
                if driver.returncode == 0:
                    break
                assert driver.returncode == -9, f"it ended with {driver.returncode}"
        assert content(self._result) == self._whole

    @contextlib.contextmanager
    def _driver(self) -> Iterator[subprocess.Popen[bytes]]:
        with subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as driver:
            try:
                yield driver
            finally:
                driver.kill()

    def _kill_one(self, driver: psutil.Process, workers: int, drivers: int) -> None:
        children = driver.children()
        if self.workers < workers and children and (self.drivers >= drivers or self._random.random() < 0.85):
            self._random.choice(children).kill()
            self.workers += 1
        elif self.drivers < drivers:
            driver.kill()
            self.drivers += 1

    def _look(self) -> None:
        """The result is there as a whole, or not at all."""
        if self._result.exists():
            assert content(self._result) == self._whole


@pytest.mark.timeout(2400)
@pytest.mark.parametrize(
    ("workers", "drivers", "processes"), [(1, 1, 1), pytest.param(200, 20, 2, marks=pytest.mark.slow, id="very many")]
)
def test_kills_change_nothing(
    inputs: Path, expected: dict[str, dict[str, bytes]], tmp_path: Path, workers: int, drivers: int, processes: int
) -> None:
    killed, turn = [0, 0], 0
    while killed < [workers, drivers] and (killed[0] < workers or killed[1] < drivers):
        job = JOBS[turn % 2]
        result = tmp_path / str(turn)
        engine = (HERE, f"--executor.workers={processes}", "--executor.attempts=100")
        killer = Killer(arguments(job, inputs, result, *engine), result, expected[job], turn)
        killer.run(workers=min(workers - killed[0], 10), drivers=min(drivers - killed[1], 2))
        killed = [killed[0] + killer.workers, killed[1] + killer.drivers]
        assert [path.name for path in tmp_path.iterdir()] == [str(turn)]
        turn += 1
        for path in tmp_path.iterdir():
            path.rename(path.with_name("old"))
            _remove(path.with_name("old"))
    assert killed == [workers, drivers]
    print(f"{killed[0]} workers and {killed[1]} drivers killed in {turn} jobs")


def _remove(root: Path) -> None:
    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    root.rmdir()


@pytest.fixture
def _without_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalExecutorConfig, "build", lambda _config: Here())


@pytest.mark.usefixtures("_without_processes")
@pytest.mark.parametrize("job", ["reencode in place", "import"])
def test_a_kill_after_the_last_step_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: str) -> None:
    """The result is in place and the job is still there: the same command only tidies up, and does nothing twice."""
    write_inputs(tmp_path / "inputs", episodes=2, frames=4)
    place = tmp_path / "set"

    def again() -> None:
        if job == "import":
            run("import", tmp_path / "inputs", place, HERE)
        else:
            place.exists() or (tmp_path / "inputs" / "dataset").rename(place)
            flags = [f"--root={place}", "--operation.type=reencode_videos", "--operation.overwrite=true"]
            edit_dataset(load(EditDatasetConfig, [*flags, HERE]).config)

    with monkeypatch.context() as patch:
        patch.setattr("lerobot.jobs.job.discard", lambda _folder: None)
        again()
    assert job_folder(place).exists()
    before = content(place)
    folders = sorted(path.name for path in tmp_path.iterdir() if path != job_folder(place))
    again()
    assert content(place) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == folders


@pytest.mark.parametrize("job", JOBS)
def test_a_folder_that_is_taken_is_refused_before_the_work(inputs: Path, tmp_path: Path, job: str) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine.txt").touch()
    with pytest.raises(DatasetError, match="already exists"):
        run(job, inputs, tmp_path / "set", *ENGINES["two processes"])
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["mine.txt", "set"]


@pytest.mark.usefixtures("_without_processes")
def test_a_changed_source_is_another_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_inputs(tmp_path / "inputs", episodes=2, frames=4)
    with monkeypatch.context() as patch:
        patch.setattr("lerobot.jobs.job.Results", None)
        with pytest.raises(TypeError):
            run("import", tmp_path / "inputs", tmp_path / "set", HERE)
    os.utime(tmp_path / "inputs" / "recordings" / "1.npz", (0, 0))
    with pytest.raises(JobError, match="holds another job that was cut off"):
        run("import", tmp_path / "inputs", tmp_path / "set", HERE)
    assert not (tmp_path / "set").exists()


class Opens:
    """Counts which files are opened, by Python and by PyAV; a hook of the interpreter stays, so there is only one."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._is_counting = False
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._is_counting and event == "open" and isinstance(arguments[0], str):
            self.counts[arguments[0]] += 1

    @contextlib.contextmanager
    def counting(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Count until this ends."""
        av_open = av.open

        def open_video(file: object, *arguments: Any, **named: Any) -> Any:
            self.counts[str(file)] += 1
            return av_open(file, *arguments, **named)

        self.counts.clear()
        with monkeypatch.context() as patch:
            patch.setattr(av, "open", open_video)
            self._is_counting = True
            try:
                yield
            finally:
                self._is_counting = False


@pytest.fixture(scope="session")
def opens() -> Opens:
    return Opens()


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("twelve")
    write_inputs(folder, episodes=12, frames=2)
    return folder


@pytest.mark.usefixtures("_without_processes")
@pytest.mark.parametrize(("job", "kind"), [("import", ".npz"), ("reencode", ".mp4")])
def test_every_source_file_is_opened_once(
    twelve: Path, tmp_path: Path, opens: Opens, monkeypatch: pytest.MonkeyPatch, job: str, kind: str
) -> None:
    """Planning, all shards and the last step together; a few more are the look into the first file."""
    size = 4.5 * 2 * 48 * 64 * 3 / 2**20
    with opens.counting(monkeypatch):
        run(job, twelve, tmp_path / "set", HERE, size=size)
    counts = [n for path, n in opens.counts.items() if path.startswith(str(twelve)) and path.endswith(kind)]
    assert len(counts) == 12
    assert sum(counts) <= 1.1 * 12

"""A cluster of one machine on the PATH."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lerobot.slurm.stand_in import install, jobs


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder of what the cluster knows; what still runs at the end is killed."""
    folder = install(tmp_path / "a cluster")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    yield folder / "state"
    for job, content in jobs(folder / "state").items():
        (folder / "state" / f"{job}.cancel").touch()
        for task in content["tasks"].values():
            if task["state"] == "RUNNING":
                os.killpg(task["pid"], signal.SIGKILL)

"""A studio in a process of its own, in a home of its own, and everything that it started."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

HERE = Path(__file__).parent
WITNESS = HERE / "witness"
PATIENCE_S = 60.0


def wait_for(found: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Wait until `found` gives something true, and give that."""
    deadline = time.monotonic() + patience_s
    while not (value := found()):
        assert time.monotonic() < deadline, f"{what}: not within {patience_s:g} s"
        time.sleep(0.05)
    return value


class Studio:
    """Starts, kills and restarts `lerobot studio`.

    Args:
        folder: where its home (`home/`), its working folder (`work/`) and what it says (`studio.log`) are.
        python: interpreter with the packages.

    Attributes:
        address: with the token, as it was printed.
    """

    def __init__(self, folder: Path, python: Path = Path(sys.executable)) -> None:
        self.home, self.work, self.log = folder / "home", folder / "work", folder / "studio.log"
        self.arm_log = folder / "arm.jsonl"
        for place in (self.home, self.work):
            place.mkdir(parents=True, exist_ok=True)
        self._python = python
        self._process: subprocess.Popen[bytes] | None = None
        self.address = ""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def origin(self) -> str:
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def port(self) -> int:
        return urlsplit(self.address).port or 0

    def environment(self) -> dict[str, str]:
        """The environment of the studio: its own home, no network, and the arm that writes down what it is told."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "LEROBOT_", "WITNESS"))}
        own = {
            "HF_LEROBOT_HOME": str(self.home),
            "HF_HOME": str(self.home.parent / "hf"),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(WITNESS),
            "WITNESS_LOG": str(self.arm_log),
        }
        return {**kept, **own}

    def start(self, *arguments: str) -> "Studio":
        """Start it on a free port and read the address."""
        command = [str(self._python), "-m", "lerobot_cli", "studio", "--port=0", "--open_browser=false", *arguments]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=self.work, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.address = wait_for(self._printed, "the address of the studio")
        return self

    def _printed(self) -> str:
        said = self.log.read_text(encoding="utf-8", errors="replace")
        assert self.is_running, f"the studio ended:\n{said}"
        found = re.search(r"https?://[\w.:\[\]]+/\S*", said)
        return found[0] if found else ""

    def kill(self) -> None:
        """As a crash or the kernel would: without a word."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """As Ctrl-C does; its children go on."""
        if self._process is not None and self.is_running:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def memory_mb(self) -> float:
        """Resident memory of the studio process alone, MB."""
        return float(psutil.Process(self.pid).memory_info().rss) / 1e6

    def runs(self) -> dict[str, dict[str, Any]]:
        """What `run.json` says of each run, by id."""
        return {path.parent.name: json.loads(path.read_text("utf-8")) for path in self.run_files()}

    def run_files(self) -> list[Path]:
        return sorted((self.home / "studio" / "runs").glob("*/run.json"))

    def said(self, run: str) -> str:
        """What a run wrote."""
        return (self.home / "studio" / "runs" / run / "log.txt").read_text("utf-8", errors="replace")

    def children(self) -> list[psutil.Process]:
        """Living processes of the runs, whoever their parent is."""
        found = []
        for process in psutil.process_iter(["cmdline", "environ", "status"]):
            told = process.info
            if told["status"] == psutil.STATUS_ZOMBIE or not told["environ"]:
                continue
            if told["environ"].get("HF_LEROBOT_HOME") == str(self.home) and process.pid != self.pid:
                found.append(process)
        return found

    def close(self) -> None:
        """End it and whatever of it still lives."""
        try:
            self.stop()
        finally:
            for process in self.children():
                process.kill()
            psutil.wait_procs(self.children(), timeout=10)

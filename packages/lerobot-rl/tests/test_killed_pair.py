"""Actor and learner as processes that are killed again and again, and the arm that the actor drives."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from test_pair import free_port

from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.fake.robot import TORQUE_OFF, FakeRobot
from lerobot.core.safety.config import SafetyConfig
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.remote.host.robot import RobotHost
from lerobot.remote.wire.config import ListenOptions
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.remote.wire.server import WireServer
from lerobot.rl.replay.recording import read_episodes

HERE = Path(__file__).parent
PATIENCE_S = 120
"""How long a process may take to begin on a computer that does much else."""
STOP_AFTER_S = 3.0


class Arm:
    """An arm behind `lerobot serve`'s host, in this process; a context manager."""

    def __init__(self) -> None:
        self.robot = FakeRobot(FakeRobotConfig())
        safety = SafetyConfig(stop_after_s=STOP_AFTER_S)
        self._host = RobotHost(self.robot, safety, fps=20, pictures=PictureEncoder())
        self._stop, self._stack = threading.Event(), ExitStack()
        self.address = ""

    def __enter__(self) -> "Arm":
        server = self._stack.enter_context(WireServer(ListenOptions(port=0), self._host.handle))
        self.address = f"127.0.0.1:{server.port}"
        thread = threading.Thread(target=self._host.run, args=(self._stop,))
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(self._stop.set)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def is_driven(self) -> bool:
        return bool(self.robot.log) and self.robot.log[-1].event != TORQUE_OFF


class Processes:
    """Both, and what they leave behind."""

    def __init__(self, folder: Path, arm: Arm) -> None:
        self.folder, self.arm, self.port = folder, arm, free_port()
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, role: str) -> None:
        environ = {**os.environ, "PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1"}
        where = [role, str(self.folder / "run"), str(self.port), self.arm.address]
        with (self.folder / f"{role}.log").open("ab") as log:
            command = [sys.executable, str(HERE / "pair_process.py"), *where]
            self.running[role] = subprocess.Popen(command, env=environ, stdout=log, stderr=log)

    def end(self, role: str, how: signal.Signals) -> int:
        self.running[role].send_signal(how)
        return self.running[role].wait(PATIENCE_S)

    def episodes(self) -> int:
        root = self.folder / "run" / "replay"
        return LeRobotDataset("replay", root).num_episodes if (root / "meta" / "info.json").exists() else 0

    def wait_until(self, true: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not true():
            logs = "\n".join(f"{path.name}: {path.read_text()[-3000:]}" for path in self.folder.glob("*.log"))
            assert time.monotonic() < until, logs
            time.sleep(0.1)

    def wait_for_more(self, episodes: int = 2) -> None:
        wanted = self.episodes() + episodes
        self.wait_until(lambda: self.episodes() >= wanted)


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Processes]:
    with Arm() as arm:
        both = Processes(tmp_path, arm)
        try:
            for role in ("learner", "actor"):
                both.start(role)
            yield both
        finally:
            for process in both.running.values():
                process.kill()
                process.wait()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_again_and_again(both: Processes, tmp_path: Path) -> None:
    """Ten kills of each: what was experienced counts once, learning goes on, and the arm is safe without its actor."""
    for number in range(20):
        both.wait_for_more()
        role = ("learner", "actor")[number % 2]
        if role == "actor":
            both.wait_until(both.arm.is_driven)
        both.end(role, signal.SIGKILL)
        if role == "actor":
            both.wait_until(lambda: not both.arm.is_driven())
        both.start(role)
    both.wait_for_more()
    assert both.end("actor", signal.SIGTERM) == 128 + signal.SIGTERM
    assert not both.arm.is_driven()
    assert both.end("learner", signal.SIGTERM) == 128 + signal.SIGTERM
    ids = [each.id for each in read_episodes(LeRobotDataset("replay", tmp_path / "run" / "replay"), pictures=False)]
    assert len(ids) == len(set(ids)) >= 40
    names, *rows = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    updates = [float(row.split(",")[names.split(",").index("updates")]) for row in rows]
    assert updates[-1] > updates[0], "it goes on learning"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_actor_that_stands_still_or_is_gone_leaves_the_arm_safe(both: Processes) -> None:
    for how in (signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        both.wait_for_more(1)
        both.wait_until(both.arm.is_driven)
        both.running["actor"].send_signal(how)
        both.wait_until(lambda: not both.arm.is_driven())
        both.end("actor", signal.SIGKILL)
        both.start("actor")

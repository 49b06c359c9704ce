"""SIGKILL at random instants of a process that records and finalizes, again and again, on one dataset."""

import os
import random
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

RECORDER = textwrap.dedent(
    """
    import importlib.util, sys
    from pathlib import Path
    from lerobot.datasets.writer.recorder import DatasetRecorder

    spec = importlib.util.spec_from_file_location("kit", sys.argv[2])
    kit = importlib.util.module_from_spec(spec)
    sys.modules["kit"] = kit
    spec.loader.exec_module(kit)
    root, label = Path(sys.argv[1]), int(sys.argv[3])
    while True:
        new = not (root / "meta/info.json").exists()
        recorder = DatasetRecorder.create(root, 30, kit.FEATURES) if new else DatasetRecorder.resume(root)
        for _ in range(3):
            label = recorder.info.total_episodes
            kit.record(recorder, label % 256, 1 + label % 4)
            print(label, flush=True)
        recorder.finalize()
    """
)


def acknowledged_until_killed(root: Path, delay_s: float, last: int) -> int:
    """Run the recorder, kill it `delay_s` after its first save; the last episode it acknowledged."""
    command = [sys.executable, "-c", RECORDER, str(root), str(Path(__file__).with_name("conftest.py")), str(last + 1)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        assert first, process.stderr.read().decode()
        select.select([], [], [], delay_s)
        os.kill(process.pid, signal.SIGKILL)
        lines = (first + process.stdout.read()).split()
    return int(lines[-1])


@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_every_acknowledged_episode_survives(tmp_path, kit, kills):
    rng, last = random.Random(kills), -1
    for kill in range(kills):
        if kill % 10 == 0:  # a new dataset now and then, so that reading it back stays short
            root, last = tmp_path / str(kill), -1
        last = acknowledged_until_killed(root, rng.uniform(0, 0.4), last)
        episodes = kit.read_dataset(root)
        assert len(episodes) - 1 in (last, last + 1)
        for label, episode in enumerate(episodes):
            assert len(episode.rows) == 1 + label % 4
            kit.check_episode(episode, label % 256)
        last = len(episodes) - 1

"""Long logs: little of them is in memory at once; and exports that are stopped leave nothing behind."""

import tracemalloc

import numpy as np
import pytest

from lerobot.core.cli.run import run_command
from lerobot.core.signals import Stopped
from lerobot.mcap.config import McapConfig
from lerobot.mcap.contract import Contract
from lerobot.mcap.export import log as export_log
from lerobot.mcap.log import mcap_file

T0 = 1_700_000_000 * 10**9
CONTRACT = {
    "fps": 30,
    "task": "t",
    "on_gap": "refuse",
    "streams": {"cam": {"topic": "/cam", "clock": "header", "align": "nearest", "tolerance_ms": 40}},
    "features": {"observation.images.cam": [{"stream": "cam"}]},
}


def write(path, kit, length):
    rng = np.random.default_rng(0)
    with kit.LogWriter(path, chunk_size=200_000) as log:
        for i in range(length):
            image = rng.integers(0, 256, (64, 96, 3), np.uint8)
            log.image("/cam", T0 + round(i * 1e9 / 30), image, "rgb8")


def peak_of(path):
    tracemalloc.start()
    try:
        source = McapConfig(path=path, contract=Contract.model_validate(CONTRACT)).build()
        for _ in source.frames(0, ["cam"]):
            pass
        source.close()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_log(tmp_path, kit, monkeypatch):
    monkeypatch.setattr(mcap_file, "KEPT_BYTES", 500_000)
    write(tmp_path / "warm.mcap", kit, 5)
    peak_of(tmp_path / "warm.mcap")
    peaks = {}
    for length in (40, 160):
        write(tmp_path / f"{length}.mcap", kit, length)
        peaks[length] = peak_of(tmp_path / f"{length}.mcap")
    # 160 images are 2.9 MB, and 34 bytes a message are nothing beside them.
    assert peaks[160] < peaks[40] + 100_000 < 2_000_000


def test_an_export_that_is_stopped_leaves_nothing(tmp_path, kit, monkeypatch):
    write(tmp_path / "log.mcap", kit, 20)
    kit.convert(tmp_path / "log.mcap", CONTRACT, tmp_path / "set")
    steps = iter(range(100))

    def stop():
        if next(steps) == 7:
            raise Stopped(2)

    monkeypatch.setattr(export_log, "check_stop", stop)
    (tmp_path / "out").mkdir()
    with pytest.raises(Stopped):
        run_command("export-mcap", [f"--dataset.root={tmp_path / 'set'}", f"--output={tmp_path / 'out/again.mcap'}"])
    assert not list((tmp_path / "out").iterdir())

"""An encoder leaves every thread the priority it had."""

import os
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lerobot.datasets.video.encode import VideoFileEncoder
from lerobot.datasets.video.encoder_config import RGBEncoderConfig


@pytest.mark.skipif(sys.platform != "linux", reason="Linux lists the threads of a process")
def test_no_thread_becomes_a_real_time_one(tmp_path: Path) -> None:
    encoder = VideoFileEncoder(tmp_path / "x.mp4", Fraction(30), 64, 192, RGBEncoderConfig(vcodec="libsvtav1"))
    encoder.add(np.zeros((64, 192, 3), np.uint8))
    threads = [int(task.name) for task in Path("/proc/self/task").iterdir()]
    assert len(threads) > 1
    assert {os.sched_getscheduler(thread) for thread in [0, *threads]} == {os.SCHED_OTHER}
    encoder.close()

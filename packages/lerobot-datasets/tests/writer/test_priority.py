"""An encoder leaves every thread the priority it had."""

import subprocess
import sys
from pathlib import Path

import pytest

# In a process of its own: libraries, and other tests, have threads of any kind in this one.
ENCODE = """
import os, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from lerobot.datasets.video.encode import VideoFileEncoder
from lerobot.datasets.video.encoder_config import RGBEncoderConfig
os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
encoder = VideoFileEncoder(Path(sys.argv[1]), Fraction(30), 64, 192, RGBEncoderConfig(vcodec="libsvtav1"))
encoder.add(np.zeros((64, 192, 3), np.uint8))
kinds = [os.sched_getscheduler(int(task.name)) for task in Path("/proc/self/task").iterdir()]
print(len(kinds), os.SCHED_FIFO in kinds, os.sched_getscheduler(0) == os.SCHED_OTHER)
encoder.close()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux lists the threads of a process")
def test_no_thread_becomes_a_real_time_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ENCODE, str(tmp_path / "x.mp4")]
    threads, real_time, usual = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert int(threads) > 1
    assert (real_time, usual) == ("False", "True")

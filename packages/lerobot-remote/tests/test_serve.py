"""`lerobot serve`, and what is served used by the other commands; and the contract of the package."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lerobot.core.config.load import load
from lerobot.core.errors import ConfigError
from lerobot.core.testing import PluginPackageContract
from lerobot.remote.commands.serve import ServeConfig

LEROBOT = Path(sys.executable).with_name("lerobot")


class TestPackage(PluginPackageContract):
    distribution = "lerobot-remote"


@contextmanager
def serving(*flags: str) -> Iterator[str]:
    """`lerobot serve` as users start it; its address."""
    with subprocess.Popen(
        [LEROBOT, "serve", "--port=0", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"serving at (ws://\S+);", line)
            assert found, line + (process.stderr.read() if process.stderr else "")
            yield found[1]
        finally:
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[1]
        assert process.returncode == 0, said
        assert "Traceback" not in said


def test_a_served_arm_follows_a_served_hand() -> None:
    with serving("--robot.type=fake") as robot, serving("--teleop.type=fake") as teleop:
        done = subprocess.run(
            [LEROBOT, "teleoperate", "--robot.type=remote", f"--robot.address={robot}", "--teleop.type=remote",
             f"--teleop.address={teleop}", "--teleop_time_s=1"],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "ended by duration" in done.stdout, done.stdout


@pytest.mark.parametrize("flags", [[], ["--robot.type=fake", "--teleop.type=fake"]], ids=["nothing", "two"])
def test_one_thing_is_served(flags: list[str]) -> None:
    with pytest.raises(ConfigError, match="exactly one of --robot"):
        load(ServeConfig, flags)


def test_a_host_that_others_reach_asks_for_a_token() -> None:
    with pytest.raises(ConfigError, match="token_file"):
        load(ServeConfig, ["--robot.type=fake", "--host=0.0.0.0"])

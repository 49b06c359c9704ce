"""A virtual arm that writes every command to a file, past the loop and the studio: what moved is read there."""

import json
import os
import time
from pathlib import Path
from typing import Any

from lerobot.sim.config import SimSO101Config

LOG = "WITNESS_LOG"
"""Environment variable: the file, one JSON object a line; many processes append to it."""


class WitnessConfig(SimSO101Config):
    """A virtual SO-101 that writes down what it is told."""

    target = "witness_arm:witness_arm"

    type: str = "witness_arm"


def witness_arm(config: WitnessConfig, **given: Any) -> Any:
    """Make the arm."""
    from lerobot.sim.robot import SimSO101

    class WitnessArm(SimSO101):
        name = "witness_arm"

        def connect(self, calibrate: bool = True) -> None:
            super().connect(calibrate)
            _write("connect")

        def send_action(self, action: Any) -> Any:
            sent = super().send_action(action)
            _write("command", goals={key: round(float(value), 3) for key, value in sent.items()})
            return sent

        def enter_safe_state(self) -> None:
            super().enter_safe_state()
            _write("safe_state")

        def _close(self) -> None:
            super()._close()
            _write("disconnect")

    return WitnessArm(config, **given)


def _write(event: str, **more: Any) -> None:
    line = json.dumps({"pid": os.getpid(), "time_s": time.time(), "event": event, **more}) + "\n"
    # One write, so that lines of several processes stay whole and a killed process leaves no half of one.
    file = os.open(Path(os.environ[LOG]), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)

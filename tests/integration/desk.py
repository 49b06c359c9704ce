"""Somebody with two arms fresh from the box, a camera and a terminal.

The arms are virtual servos on pseudo-terminals, the camera is a video file; the commands are processes in a terminal,
as the pages of huggingface/lerobot have them, but for ports, camera, names and how long they last.
"""

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pexpect

from lerobot.motors.virtual import ARMS, Fault, LineSpec, VirtualBus

START_TIMEOUT_S = 120


class Desk:
    """Somebody's desk: two boxes of new motors, a camera, a terminal.

    Args:
        folder: where the work is kept.
        follower: which virtual arm is driven.
        leader: which virtual arm is moved by hand.

    Attributes:
        follower: the arm that is driven, its six motors all with the id they left the factory with.
        leader: the arm that is moved by hand.
        camera: a video file of 30 frames/s.
    """

    def __init__(self, folder: Path, follower: str, leader: str) -> None:
        self.folder = folder
        self.follower, self.leader = VirtualBus(_new(ARMS[follower])), VirtualBus(_new(ARMS[leader]))
        self.camera = folder / "camera.mp4"
        _film(self.camera)
        self._environment = {
            **os.environ,
            "HF_LEROBOT_HOME": str(folder / "lerobot"),
            "HF_LEROBOT_CALIBRATION": str(folder / "calibration"),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
        }

    def types(self, line: str) -> "pexpect.spawn[str]":
        """Type a command line; what the pages leave open is filled in."""
        line = line.replace("FOLLOWER_PORT", self.follower.port).replace("LEADER_PORT", self.leader.port)
        command, *arguments = line.replace("CAMERA", str(self.camera)).split(" --")
        program = shutil.which(command)
        assert program, command
        return pexpect.spawn(
            program,
            [f"--{argument.strip()}" for argument in arguments],
            env=self._environment,
            cwd=str(self.folder),
            encoding="utf-8",
            timeout=START_TIMEOUT_S,
            dimensions=(40, 200),
        )

    def runs(self, line: str) -> str:
        """Type a command line and wait for its good end; returns what was on the screen."""
        return _ended(self.types(line))

    def sets_up(self, line: str, arm: VirtualBus) -> None:
        """Connect one motor after the other, as the command asks for them."""
        servos = arm.spec.servos
        for servo in servos:
            arm.fault(servo.id, Fault.MISSING)
        terminal = self.types(line)
        for servo, name in reversed(list(zip(servos, arm.spec.names, strict=True))):
            terminal.expect_exact(f"Connect the controller board to the '{name}' motor only and press enter.")
            for other in servos:
                if other is not servo:
                    arm.fault(other.id, Fault.MISSING)
            arm.mend(servo.id)
            terminal.sendline()
        _ended(terminal)
        for servo in servos:
            arm.mend(servo.id)

    def calibrates(self, line: str, arm: VirtualBus) -> None:
        """Sweep every joint from stop to stop while the command looks."""
        terminal = self.types(line)
        terminal.expect_exact("to the middle of its range of motion and press ENTER")
        terminal.sendline()
        terminal.expect_exact("Press ENTER to stop")
        for tenth in (*range(5, 11), *range(10, -1, -1), *range(6)):
            _watch(terminal, 0.15)
            arm.move({s.id: s.stops[0] + tenth / 10 * (s.stops[1] - s.stops[0]) for s in arm.spec.servos if s.stops})
        _watch(terminal, 0.3)
        terminal.sendline()
        _ended(terminal)

    def leaves(self) -> None:
        self.follower.close()
        self.leader.close()


def _new(arm: LineSpec) -> LineSpec:
    """The arm with motors as they leave the factory, as the package of their make has them."""
    servos = (replace(servo, registers={**ARMS[servo.model].servos[0].registers, "ID": 1}) for servo in arm.servos)
    return replace(arm, servos=tuple(servos))


def _film(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for index in range(60):
            picture = np.full((480, 640, 3), 4 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def _watch(terminal: "pexpect.spawn[str]", seconds: float) -> None:
    """Read the screen for a while: a terminal nobody reads stops the program."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        terminal.expect(["\n", pexpect.TIMEOUT], timeout=0.05)


def _ended(terminal: "pexpect.spawn[str]") -> str:
    terminal.expect(pexpect.EOF)
    terminal.close()
    shown = str(terminal.before)
    assert terminal.exitstatus == 0, shown
    assert "Traceback" not in shown
    return shown

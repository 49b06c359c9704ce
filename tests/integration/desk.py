"""Somebody with a robot and what leads it, fresh from the box, a camera and a terminal.

Motors and sensors are virtual, on pseudo-terminals, the camera is a video file; commands are processes in a terminal,
as the pages of huggingface/lerobot have them, but for ports, camera, names and how long they last.
"""

import os
import shutil
import time
from pathlib import Path

import av
import numpy as np
import pexpect

from lerobot.motors.virtual import ARMS, Fault, Printer, VirtualBus
from lerobot.motors.virtual.line_spec import WHOLE_TURN
from lerobot.motors.virtual.new_motors import from_the_factory

START_TIMEOUT_S = 120
WORN = (500, 3500)
"""What sensors of something that is worn print at the ends of a joint's travel."""


class Desk:
    """Somebody's desk: two boxes of new motors, a camera, a terminal.

    Args:
        folder: where the work is kept.
        follower: which virtual arm is driven.
        leader: which virtual arm is moved by hand, or how many integers the thing that is worn prints in a line.

    Attributes:
        follower: the arm that is driven, its motors all with the id they left the factory with.
        leader: the arm that is moved by hand, or the thing that is worn.
        camera: a video file of 30 frames/s, 160x120.
    """

    def __init__(self, folder: Path, follower: str, leader: str | int) -> None:
        self.folder = folder
        self.follower = VirtualBus(from_the_factory(ARMS[follower]))
        self.leader: VirtualBus | Printer
        if isinstance(leader, int):
            self._fields = leader
            self.leader = Printer(" ".join(["2000"] * leader))
            self.leader.switch_on()
        else:
            self.leader = VirtualBus(from_the_factory(ARMS[leader]))
        self.camera = folder / "camera.mp4"
        _film(self.camera)
        self._host: pexpect.spawn[str] | None = None
        self._words = {
            "FOLLOWER_PORT": self.follower.port,
            "LEADER_PORT": self.leader.port,
            "CAMERA": str(self.camera),
        }
        self._environment = {
            **os.environ,
            "HF_LEROBOT_HOME": str(folder / "lerobot"),
            "HF_LEROBOT_CALIBRATION": str(folder / "calibration"),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
        }

    def types(self, line: str) -> "pexpect.spawn[str]":
        """Type a command line; what the pages leave open is filled in."""
        for word, value in self._words.items():
            line = line.replace(word, value)
        command, *arguments = line.split(" --")
        program = shutil.which(command)
        assert program, command
        terminal = pexpect.spawn(
            program,
            [f"--{argument.strip()}" for argument in arguments],
            env=self._environment,
            cwd=str(self.folder),
            encoding="utf-8",
            timeout=START_TIMEOUT_S,
            dimensions=(40, 200),
        )
        terminal.delaybeforesend = None
        return terminal

    def runs(self, line: str) -> str:
        """Type a command line and wait for its good end; returns what was on the screen."""
        return _ended(self.types(line))

    def serves(self, line: str) -> None:
        """Type a command line that serves a robot until somebody leaves; what is typed later finds it at HOST_PORT."""
        self._host = self.types(line)
        self._host.expect(r":(\d+);")
        assert self._host.match
        self._words["HOST_PORT"] = self._host.match[1]

    def serves_no_more(self) -> None:
        """Press Ctrl-C in the terminal of what serves, if anything does."""
        if self._host is not None:
            self._host.sendintr()
            _ended(self._host)
            self._host = None

    def sets_up(self, line: str, arm: VirtualBus) -> None:
        """Connect one motor after the other, as the command asks for them."""
        servos = dict(zip(arm.spec.names, arm.spec.servos, strict=True))
        terminal = self.types(line)
        for _ in servos:
            terminal.expect(r"Connect the controller board to the '(\w+)' motor only and press enter\.")
            assert terminal.match
            for name, servo in servos.items():
                if name == terminal.match[1]:
                    arm.mend(servo.id)
                else:
                    arm.fault(servo.id, Fault.MISSING)
            terminal.sendline()
        _ended(terminal)
        for servo in servos.values():
            arm.mend(servo.id)

    def calibrates(self, line: str, arm: VirtualBus | Printer) -> None:
        """Move every joint from end to end while the command looks, part by part of what is worn."""
        terminal = self.types(line)
        while terminal.expect(["press ENTER", "Press ENTER to record", pexpect.EOF]) < 2:
            terminal.sendline()
            terminal.expect_exact("Press ENTER to stop")
            for part in (0.5, 1.0, 0.5, 0.0, 0.5):
                _watch(terminal, 0.3)
                self._moves(arm, part)
            _watch(terminal, 0.3)
            terminal.sendline()
        _ended(terminal)

    def travel_of(self, arm: VirtualBus | Printer, joint: int) -> float:
        """How far a joint is moved when it is calibrated, in steps; a motor without stops makes a whole turn."""
        stops = WORN if isinstance(arm, Printer) else arm.spec.servos[joint].stops
        return stops[1] - stops[0] if stops else WHOLE_TURN

    def _moves(self, arm: VirtualBus | Printer, part: float) -> None:
        """Move all joints to a part of the way from one end to the other."""
        if isinstance(arm, Printer):
            arm.wear([round(WORN[0] + part * (WORN[1] - WORN[0]))] * self._fields)
        else:
            arm.move({s.id: s.stops[0] + part * (s.stops[1] - s.stops[0]) for s in arm.spec.servos if s.stops})

    def leaves(self) -> None:
        """Switch everything off."""
        if self._host is not None:
            self._host.close(force=True)
        self.follower.close()
        if isinstance(self.leader, Printer):
            self.leader.unplug()
        else:
            self.leader.close()


def _film(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(60):
            picture = np.full((120, 160, 3), 4 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def _watch(terminal: "pexpect.spawn[str]", seconds: float) -> None:
    """Read the screen for a while: a terminal nobody reads stops the program."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        terminal.expect(["\n", pexpect.TIMEOUT], timeout=0.05)


def _ended(terminal: "pexpect.spawn[str]") -> str:
    if not terminal.flag_eof:
        terminal.expect(pexpect.EOF)
    terminal.close()
    shown = str(terminal.before)
    assert terminal.exitstatus == 0, shown
    assert "Traceback" not in shown
    return shown

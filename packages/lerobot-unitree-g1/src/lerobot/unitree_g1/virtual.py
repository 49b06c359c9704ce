"""A virtual Unitree G1 behind its bridge: 29 joints that obey their gains, without weight.

`python -m lerobot.unitree_g1.virtual` runs one, for clients of any kind.
"""

import argparse
import base64
import json
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Self

import zmq

from lerobot.remote.wire.errors import WireError
from lerobot.unitree_g1.joints import JOINTS, MOTORS
from lerobot.unitree_g1.messages import REMOTE_BYTES, STATE_TOPIC, MotorCommand, decode_command

STEP_S = 0.002
"""How often joints move and the state is published, as by the vendor's bridge."""
INERTIA = 0.05
"""Of every joint, kg m2: the stiffest then swings at 12 Hz and is damped within a fifth of a second."""
MODE_MACHINE = 5


class VirtualG1:
    """A virtual robot; a context manager.

    Args:
        command_port: of the bridge for commands; 0 takes any that is free.
        state_port: of the bridge for the state; likewise.
        report_port: where whoever looks on asks what was commanded last; likewise.

    Attributes:
        q: positions of the joints, radians.
        dq: velocities of the joints, radians/s.
        commands: what the motors were told, message by message, the newest 1000.
        refused: how many messages were no commands.
        mangle: changes a state before it is published; an empty one is not sent.
        mode_machine: which kind of G1 it says it is.
    """

    def __init__(self, command_port: int = 0, state_port: int = 0, report_port: int = 0) -> None:
        self._wanted = command_port, state_port, report_port
        self.command_port = self.state_port = self.report_port = 0
        self.q = [0.0] * len(JOINTS)
        self.dq = [0.0] * len(JOINTS)
        self.commands: list[list[MotorCommand]] = []
        self.refused = 0
        self.mangle: Callable[[bytes], bytes] = lambda state: state
        self.mode_machine = MODE_MACHINE
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._context = zmq.Context()
        sockets = [self._context.socket(kind) for kind in (zmq.PULL, zmq.PUB, zmq.REP)]
        ports = []
        for each, wanted in zip(sockets, self._wanted, strict=True):
            each.bind(f"tcp://127.0.0.1:{wanted or '*'}")
            ports.append(int(each.getsockopt_string(zmq.LAST_ENDPOINT).rpartition(":")[2]))
        self.command_port, self.state_port, self.report_port = ports
        self._pull, self._publish, self._report = sockets
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="virtual G1", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Be gone, as a robot whose cable is cut."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self._context.destroy(linger=0)

    def told(self) -> list[MotorCommand]:
        """What the motors were told last; nothing at first, which leaves them limp."""
        return self.commands[-1] if self.commands else [MotorCommand(q, 0.0, 0.0) for q in self.q]

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._stopping.is_set():
            self._listen()
            now_s = time.monotonic()
            while due_s <= now_s:
                self._move()
                due_s += STEP_S
            if state := self.mangle(self._state()):
                self._publish.send(state, zmq.NOBLOCK)
            time.sleep(max(0.0, due_s - time.monotonic()))

    def _listen(self) -> None:
        while self._pull.poll(0):
            try:
                _, motors = decode_command(self._pull.recv())
            except WireError:
                self.refused += 1
                continue
            self.commands.append(motors)
            del self.commands[:-1000]
        if self._report.poll(0):
            self._report.recv()
            self._report.send_json([[each.q, each.kp, each.kd] for each in self.told()])

    def _move(self) -> None:
        """One step of a joint with the torque of its motor, velocity first."""
        for i, told in enumerate(self.told()):
            low, high = JOINTS[i].range
            torque = told.kp * (told.q - self.q[i]) - told.kd * self.dq[i]
            self.dq[i] += torque / INERTIA * STEP_S
            moved = self.q[i] + self.dq[i] * STEP_S
            self.q[i] = min(max(moved, low), high)
            if moved != self.q[i]:  # an end stop
                self.dq[i] = 0.0

    def _state(self) -> bytes:
        off = {"q": 0.0, "dq": 0.0, "tau_est": 0.0, "temperature": 30.0}
        motors = [
            {"q": q, "dq": dq, "tau_est": told.kp * (told.q - q) - told.kd * dq, "temperature": 30.0}
            for q, dq, told in zip(self.q, self.dq, self.told(), strict=True)
        ]
        imu = {
            "quaternion": [1.0, 0.0, 0.0, 0.0],
            "gyroscope": [0.0, 0.0, 0.0],
            "accelerometer": [0.0, 0.0, 9.81],
            "rpy": [0.0, 0.0, 0.0],
            "temperature": 40.0,
        }
        data = {
            "motor_state": [*motors, *[off] * (MOTORS - len(motors))],
            "imu_state": imu,
            "wireless_remote": base64.b64encode(bytes(REMOTE_BYTES)).decode(),
            "mode_machine": self.mode_machine,
        }
        return json.dumps({"topic": STATE_TOPIC, "data": data}).encode()


def main() -> None:
    """Run a virtual robot until a signal comes; its ports are the first line that is printed."""
    parser = argparse.ArgumentParser(description="A virtual Unitree G1 behind its bridge.")
    parser.add_argument("--command_port", type=int, default=6000, help="port for commands; 0 takes one that is free")
    parser.add_argument("--state_port", type=int, default=6001, help="port for the state; likewise")
    parser.add_argument(
        "--report_port", type=int, default=0, help="port that answers what was commanded last; likewise"
    )
    options = parser.parse_args()
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before there are threads, so that none of them takes the signal
    with VirtualG1(options.command_port, options.state_port, options.report_port) as robot:
        sys.stdout.write(f"{robot.command_port} {robot.state_port} {robot.report_port}\n")
        sys.stdout.flush()
        signal.sigwait(ends)


if __name__ == "__main__":
    main()

"""The bytes two implementations send in one scripted session, on the same virtual servos.

`LEROBOT_PEER_PYTHON` names the interpreter of an environment with huggingface/lerobot.
"""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lerobot.dynamixel import DynamixelMotorsBus
from lerobot.feetech import FeetechMotorsBus
from lerobot.motors import MotorCalibration, MotorNormMode
from lerobot.motors.virtual import ARMS, LineSpec, VirtualBus

pytestmark = pytest.mark.peer

PEER = """
import sys
from lerobot.motors import Motor, MotorCalibration, MotorNormMode
from lerobot.motors.{family} import {bus_class}
motors = {{name: Motor(id_, model, MotorNormMode.DEGREES) for name, id_, model in {motors!r}}}
bus = {bus_class}({port!r}, motors)
print("ready", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""

CALIBRATION = "{name: MotorCalibration(m.id, 0, -14, 1000, 3000 + m.id) for name, m in bus.motors.items()}"
SAME = {
    "connect": "bus.connect()",
    "disable torque": "bus.disable_torque()",
    "home": "bus.set_half_turn_homings()",
    "calibrate": f"bus.write_calibration({CALIBRATION})",
    "read a group": "bus.sync_read('Present_Position')",
    "read part of a group": "bus.sync_read('Present_Position', ['gripper', 'elbow_flex'], num_retry=2)",
    "read one": "bus.read('Present_Temperature', 'gripper')",
    "write one": "bus.write('Goal_Position', 'wrist_flex', -12.3)",
    "write a group": "bus.sync_write('Goal_Position', {n: 3.3 * i - 9 for i, n in enumerate(bus.motors)})",
    "write to all": "bus.sync_write('Goal_Position', 2100, normalize=False)",
    "ping": "bus.ping('shoulder_pan')",
    "release one": "bus.disable_torque('gripper', num_retry=3)",
    "disconnect": "bus.disconnect()",
}
"""Steps whose packets are equal, byte for byte."""

WRITES = {
    "connect": "bus.connect()",
    "configure": "bus.configure_motors()",
    "torque": "bus.enable_torque()",
    "calibration": "bus.read_calibration()",
    "disconnect": "bus.disconnect()",
}
"""Steps in which ours reads more or less than the peer (EEPROM is compared before it is written, groups are read
with one packet) and sets the goal to the present position before torque comes on; everything else written is equal."""

FEETECH_WRITE, FEETECH_GOAL = 0x03, 42


@pytest.fixture
def peer() -> str:
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if not python:
        pytest.skip("LEROBOT_PEER_PYTHON is not set")
    return python


def theirs(python: str, family: str, spec: LineSpec, steps: dict[str, str]) -> dict[str, list[bytes]]:
    """Packets the peer sends in each step."""
    motors = [(name, servo.id, servo.model) for name, servo in zip(spec.names, spec.servos, strict=True)]
    bus_class = {"feetech": "FeetechMotorsBus", "dynamixel": "DynamixelMotorsBus"}[family]
    with VirtualBus(spec) as line:
        script = PEER.format(family=family, bus_class=bus_class, motors=motors, port=line.port)
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
        with subprocess.Popen(
            [python, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        ) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            assert process.stdout.readline() == "ready\n"
            packets = {}
            for name, code in steps.items():
                process.stdin.write(code + "\n")
                process.stdin.flush()
                assert process.stdout.readline() == "done\n", name
                packets[name] = line.packets()
            return packets


def ours(bus_class: type, spec: LineSpec, steps: dict[str, str]) -> Iterator[tuple[str, list[bytes]]]:
    """Packets we send in each step."""
    with VirtualBus(spec) as line:
        bus = bus_class(line.port, spec.motors(MotorNormMode.DEGREES))
        for name, code in steps.items():
            exec(code, {"bus": bus, "MotorCalibration": MotorCalibration})
            yield name, line.packets()


@pytest.mark.parametrize(
    ("family", "bus_class", "arm"),
    [("feetech", FeetechMotorsBus, "so101"), ("dynamixel", DynamixelMotorsBus, "koch")],
)
def test_a_session_sends_the_same_bytes(peer, family, bus_class, arm) -> None:
    expected = theirs(peer, family, ARMS[arm], SAME)
    for name, packets in ours(bus_class, ARMS[arm], SAME):
        assert packets == expected[name], name
        assert packets, name


def test_a_feetech_configuration_writes_the_same(peer) -> None:
    def written(packets: list[bytes]) -> list[bytes]:
        return [packet for packet in packets if packet[4] == FEETECH_WRITE and packet[5] != FEETECH_GOAL]

    expected = theirs(peer, "feetech", ARMS["so101"], WRITES)
    for name, packets in ours(FeetechMotorsBus, ARMS["so101"], WRITES):
        assert sorted(set(written(packets))) == sorted(set(written(expected[name]))), name


UNITS = """
import hashlib, random, sys
from lerobot.motors import Motor, MotorCalibration, MotorNormMode
{imports}
digests = []
for mode in MotorNormMode:
    rng, digest = random.Random(7), hashlib.sha256()
    for _ in range(100_000):
        low = rng.randrange(0, 2048)
        entry = MotorCalibration(1, rng.randrange(2), 0, low, low + rng.randrange(1, 2048))
        raw, user = rng.randrange(-5000, 9000), rng.uniform(-400, 400)
        digest.update(repr(({to_user}, {to_raw})).encode())
    digests.append(digest.hexdigest())
print(*digests)
"""


@pytest.mark.parametrize(
    ("bus_class", "model"), [("FeetechMotorsBus", "sts3215"), ("DynamixelMotorsBus", "xl330-m288")]
)
def test_100000_positions_have_the_same_units_bit_for_bit(peer, bus_class, model) -> None:
    family = bus_class.removesuffix("MotorsBus").lower()
    peer_script = UNITS.format(
        imports=f"from lerobot.motors.{family} import {bus_class}\n"
        f"bus = {bus_class}('unused', {{'joint': Motor(1, '{model}', MotorNormMode.DEGREES)}})\n"
        "def ready(mode, entry):\n"
        "    bus.motors['joint'].norm_mode, bus.calibration = mode, {'joint': entry}\n"
        "    return bus\n",
        to_user="ready(mode, entry)._normalize({1: raw})[1]",
        to_raw="ready(mode, entry)._unnormalize({1: user})[1]",
    )
    drive = bus_class == "FeetechMotorsBus"
    our_script = UNITS.format(
        imports="from lerobot.motors.normalization import normalize, unnormalize",
        to_user=f"normalize(raw, entry, mode, 4096, honours_drive_mode={drive})",
        to_raw=f"unnormalize(user, entry, mode, 4096, honours_drive_mode={drive})",
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    outputs = [
        subprocess.run([python, "-c", script], capture_output=True, text=True, check=True, env=environment).stdout
        for python, script in ((peer, peer_script), (sys.executable, our_script))
    ]
    assert len(outputs[0].split()) == 3
    assert outputs[0] == outputs[1]

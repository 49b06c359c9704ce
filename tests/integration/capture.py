"""Sessions of huggingface/lerobot with an arm, as recorded on the line."""

import json
import time
from pathlib import Path
from typing import TypeAlias

from lerobot.motors.virtual import LineSpec, VirtualBus
from lerobot.motors.virtual.framing import WRITE

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "data" / "golden" / "hardware"

VELOCITY = 1
"""Content of Operating_Mode of a motor that turns at a speed, of every make."""

Changes: TypeAlias = dict[int, list[tuple[int, bytes]]]


def captured(path: Path) -> dict[str, list[bytes]]:
    """What the host sent, by call, in order; `get_observation` keeps its first time."""
    calls: dict[str, list[bytes]] = {}
    call = ""
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        if "mark" in entry:
            call = entry["mark"]
            calls.setdefault(call, [])
        elif entry["dir"] == "host":
            calls[call].append(bytes.fromhex(entry["raw"]))
    return calls


def changes(spec: LineSpec, packets: list[bytes]) -> Changes:
    """What writes to single motors change, by motor: address and bytes."""
    framing = spec.protocol.framing
    servos = {servo.id: spec.protocol(servo, spec.voltage, 0.0) for servo in spec.servos}
    changed: Changes = {servo_id: [] for servo_id in servos}
    for packet in packets:
        instruction = framing.take(bytearray(packet))
        assert instruction is not None
        if instruction.code == WRITE:
            address = framing.number(instruction.parameters, 0)
            data = instruction.parameters[framing.address_bytes :]
            memory = servos[instruction.id].memory
            if memory.read(address, len(data)) != data:
                memory.write(address, data, keep=True)
                changed[instruction.id].append((address, data))
    return changed


def has_arrived(line: VirtualBus) -> bool:
    """Whether all joints are at their goals, wheels at their speeds, and stay: a joint may swing a count past it."""
    return _is_at_goal(line) and not time.sleep(0.05) and _is_at_goal(line)


def _is_at_goal(line: VirtualBus) -> bool:
    return all(_has_what_it_shall(line.state(servo.id)) for servo in line.spec.servos)


def _has_what_it_shall(state: dict[str, float]) -> bool:
    if state.get("Operating_Mode") == VELOCITY:
        return state["Present_Velocity"] == state["Goal_Velocity"]
    return not state["Moving"] and state["Present_Position"] == state["Goal_Position"]

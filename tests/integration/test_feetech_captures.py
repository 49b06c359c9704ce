"""The bytes that huggingface/lerobot sends to a HopeJR arm and hand and to a LeKiwi, and ours in the same session.

While they are read and driven, the bytes are the same. While they are connected and configured, ours differ in these
ways, so there the registers that are changed in the end are compared:

- The motors of the HopeJR arm are asked who they are, as those of the hand are. Theirs asks those of the hand only.
- The calibration is written before torque comes on. That of HopeJR was written after it.
- The goal of each motor is set to where it is before torque comes on, that of a wheel to zero, so that nothing jumps.
- A register that holds its value already is read and not written.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from capture import GOLDEN, captured, changes, has_arrived

from lerobot.core.registry import registry
from lerobot.core.testing import ScriptedPrompter
from lerobot.feetech.tables import SCS, STS_SMS
from lerobot.motors.virtual import ARMS, VirtualBus

GOAL_POSITION = STS_SMS["Goal_Position"][0]
assert SCS["Goal_Position"][0] == GOAL_POSITION


@dataclass(frozen=True)
class Capture:
    """A recorded session.

    Attributes:
        folder: where it is, below the captures.
        stem: what its files begin with.
        pose: where the virtual joints stood.
        fields: fields of the configuration.
    """

    folder: str
    stem: str
    pose: range
    fields: dict[str, Any] = field(default_factory=dict)


CAPTURES = {
    "hope_jr_arm": Capture("hope_jr", "arm", range(1800, 2150, 50)),
    "hope_jr_hand": Capture("hope_jr", "hand_right", range(400, 720, 20), {"side": "right"}),
    "lekiwi": Capture("lekiwi", "lekiwi", range(2000, 2090, 10), {"cameras": {}}),
}


class Session:
    """A robot in the pose of its capture."""

    def __init__(self, robot: str, folder: Path) -> None:
        capture = CAPTURES[robot]
        spec = ARMS[robot]
        servos = tuple(
            replace(servo, position=position) for servo, position in zip(spec.servos, capture.pose, strict=True)
        )
        self.line = VirtualBus(replace(spec, servos=servos))
        files = GOLDEN / capture.folder
        self.values = json.loads((files / f"{capture.stem}_values.json").read_text())
        self.capture = captured(files / f"{capture.stem}_session.jsonl")
        shutil.copy(files / f"{capture.stem}_calibration.json", folder / "golden.json")
        config = registry.config_class("robot", robot)
        self.device: Any = config(port=self.line.port, id="golden", calibration_dir=folder, **capture.fields).build()
        self.device.prompter = ScriptedPrompter([""])


@pytest.fixture(params=CAPTURES)
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Session]:
    if not GOLDEN.is_dir():
        pytest.skip("the shared captures are not here")
    session = Session(request.param, tmp_path)
    yield session
    session.line.close()


def test_it_sends_the_bytes_of_the_capture(session: Session) -> None:
    robot, line, capture, values = session.device, session.line, session.capture, session.values
    robot.connect()
    theirs = {motor: dict(made) for motor, made in changes(line.spec, capture["connect"]).items()}
    ours = {motor: dict(made) for motor, made in changes(line.spec, line.packets()).items()}
    for made in ours.values():
        made.pop(GOAL_POSITION, None)
    assert ours == theirs
    assert all(theirs.values())

    assert dict(robot.get_observation()) == pytest.approx(values["observation"])
    reads = line.packets()
    assert reads == capture["get_observation"][: len(reads)]
    assert robot.send_action(values["given"]) == pytest.approx(values["sent"])
    (call,) = (call for call in capture if call.startswith("send_action"))
    assert b"".join(line.packets()) == b"".join(capture[call])
    while not has_arrived(session.line):
        pass
    assert dict(robot.get_observation()) == pytest.approx(values["after"])
    assert line.packets() == capture["get_observation"][len(reads) :]
    robot.disconnect()
    assert b"".join(line.packets()) == b"".join(capture["disconnect"])

"""The bytes that huggingface/lerobot sends to an arm, and ours in the same session.

Sessions were recorded through a byte proxy on virtual servos as they leave the factory. While an arm is driven, the
bytes are the same. While it is connected and configured, ours differ in these ways, so there each motor's changes of
registers are compared:

- A register that holds its value already is read and not written: EEPROM cells wear out.
- A joint's registers are written together, not a register of all joints together; the order on each motor is the same.
- The drive mode of a calibration file is written too, before the homing. Theirs leaves it out, so a leader's reversed
  elbow never holds what its file says, the question about the file comes back at every start, and the trigger does not
  spring open.
- Positions, firmware, and which motors have torque are read: to refuse a joint a turn away, to know the arm again, and
  to give torque back.
- Without a calibration file, motors are not asked whether they hold it.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from capture import GOLDEN, Changes, captured, changes, has_arrived

from lerobot.core.registry import registry
from lerobot.core.testing import ScriptedPrompter
from lerobot.dynamixel.tables import X_SERIES
from lerobot.motors.virtual import ARMS, VirtualBus

DRIVE_MODE, GOAL_POSITION = X_SERIES["Drive_Mode"][0], X_SERIES["Goal_Position"][0]

OUR_CHANGES: dict[str, Changes] = {
    "koch_leader": {3: [(DRIVE_MODE, b"\x01")], 6: [(GOAL_POSITION, (2400).to_bytes(4, "little"))]},
}
"""What only ours writes, by motor: a drive mode first, and the trigger's goal, half open, last."""


class Session:
    """A device on a virtual arm, with the calibration of the capture if it is one that somebody swept."""

    def __init__(self, kind: str, model: str, folder: Path) -> None:
        self.golden = GOLDEN / model.partition("_")[0]
        self.line = VirtualBus(ARMS[model])
        self.calibration = self.golden / f"{model}_calibration.json"
        self.values = json.loads((self.golden / f"{model}_values.json").read_text())
        self.capture = captured(self.golden / f"{model}_session.jsonl")
        self.asks = model.startswith("koch")
        if self.asks:
            shutil.copy(self.calibration, folder / "golden.json")
        config = registry.config_class(kind, model if kind == "teleoperator" else f"{model}_follower")
        self.device: Any = config(port=self.line.port, id="golden", calibration_dir=folder).build()
        self.device.prompter = ScriptedPrompter([""])

    def packets(self) -> list[bytes]:
        return self.line.packets()


@pytest.fixture
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Session]:
    if not GOLDEN.is_dir():
        pytest.skip("the shared captures are not here")
    session = Session(*request.param, tmp_path)
    yield session
    session.line.close()


def connect(session: Session, model: str) -> None:
    """Connect, and compare what it sent."""
    session.device.connect()
    ours, theirs = session.packets(), session.capture["connect"]
    same = 10 if session.asks else 6
    assert ours[:same] == theirs[:same], "who is there, and which calibration do you hold?"
    expected = changes(session.line.spec, theirs)
    for motor, extra in OUR_CHANGES.get(model, {}).items():
        for change in extra:
            expected[motor].insert(0 if change[0] == DRIVE_MODE else len(expected[motor]), change)
    assert changes(session.line.spec, ours) == expected
    assert any(expected.values())
    assert (session.device.calibration_path).read_text() == session.calibration.read_text()


@pytest.mark.parametrize("session", [("robot", "koch"), ("robot", "omx")], indirect=True, ids=["koch", "omx"])
def test_a_follower_sends_the_bytes_of_the_capture(session: Session) -> None:
    robot, capture, values = session.device, session.capture, session.values
    connect(session, "")
    assert dict(robot.get_observation()) == pytest.approx(values["observation"])
    assert session.packets() == capture["get_observation"][:1]
    assert robot.send_action(values["given"]) == pytest.approx(values["sent"])
    (call,) = (call for call in capture if call.startswith("send_action"))
    assert session.packets() == capture[call]
    while not has_arrived(session.line):
        pass
    assert dict(robot.get_observation()) == pytest.approx(values["after"])
    assert session.packets() == capture["get_observation"][1:]
    robot.disconnect()
    assert session.packets() == capture["disconnect"]


@pytest.mark.parametrize(
    "session", [("teleoperator", "koch_leader"), ("teleoperator", "omx_leader")], indirect=True, ids=["koch", "omx"]
)
def test_a_leader_sends_the_bytes_of_the_capture(session: Session, request: pytest.FixtureRequest) -> None:
    teleop, capture = session.device, session.capture
    connect(session, "koch_leader" if "koch" in request.node.callspec.id else "")
    action = teleop.get_action()
    assert session.packets() == capture["get_action"]
    held = {"gripper.pos", "elbow_flex.pos"}  # The trigger moves; the virtual elbow of the capture was not reversed.
    assert {key: action[key] for key in action.keys() - held} == pytest.approx(
        {key: value for key, value in session.values["action"].items() if key not in held}
    )
    teleop.disconnect()
    assert session.packets() == capture["disconnect"]

"""What the bus makes of a bad line, and what an examination finds."""

import pytest

from lerobot.dynamixel import DynamixelMotorsBus
from lerobot.motors import MotorNormMode
from lerobot.motors.virtual import Fault, VirtualBus


def test_damaged_answers_of_dynamixel_servos(koch: VirtualBus, koch_bus: DynamixelMotorsBus) -> None:
    for servo in koch.spec.servos:
        koch.fault(servo.id, Fault.CORRUPT, 0.1)
    for _ in range(100):
        assert koch_bus.sync_read("Present_Position", normalize=False) == dict.fromkeys(koch.spec.names, 2048)
        koch_bus.write("Profile_Velocity", "gripper", 100)
    assert koch_bus.statistics.failures == 0
    assert koch_bus.statistics.misses > 0


def test_alerts_of_dynamixel_servos(koch: VirtualBus, koch_bus: DynamixelMotorsBus) -> None:
    koch.fault(5, Fault.LOW_VOLTAGE, 3.0)
    koch_bus.sync_read("Present_Position", normalize=False)
    assert koch_bus.statistics.alerts == {(5, "hardware error"): 1}
    assert koch_bus.read("Hardware_Error_Status", "wrist_roll") == 1
    assert koch_bus.read("Present_Input_Voltage", "wrist_roll") == 30


@pytest.mark.parametrize(
    "fault", [Fault.DUPLICATE_ID, Fault.OVERLOAD, Fault.LOW_VOLTAGE, Fault.DEAD, Fault.WRONG_FIRMWARE]
)
def test_faults_of_dynamixel_servos(koch: VirtualBus, fault) -> None:
    koch.fault(4, fault, 3.0 if fault is Fault.LOW_VOLTAGE else None)
    (finding,) = DynamixelMotorsBus(koch.port, koch.spec.motors(MotorNormMode.DEGREES)).diagnose()
    assert (finding.cause, finding.motor, finding.place) == (fault.value, "wrist_flex", 4)

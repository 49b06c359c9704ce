"""What one kind of servo arm is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lerobot.motors.motor import Motor, MotorNormMode
from lerobot.motors.serial.bus import SerialMotorsBus


@dataclass(frozen=True)
class Joint:
    """One joint and its servo.

    Attributes:
        motor_id: address of the servo.
        model: its model.
        speed_deg_s: its no-load speed, degrees per second.
        is_gripper: it opens and closes: its position is 0 closed to 100 open.
        is_endless: it turns without stops, so its range is the whole turn.
        settings: contents of registers it works with, by name, in the order they are written.
        calibration_settings: contents of registers it is calibrated with.
    """

    motor_id: int
    model: str
    speed_deg_s: float
    is_gripper: bool = False
    is_endless: bool = False
    settings: Mapping[str, int] = field(default_factory=dict)
    calibration_settings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ArmTable:
    """The servos of one kind of arm.

    Attributes:
        bus: class of their bus.
        joints: the joints by name, in the order of the chain.
    """

    bus: type[SerialMotorsBus]
    joints: Mapping[str, Joint]

    def motors(self, *, in_degrees: bool) -> dict[str, Motor]:
        """The servos as a bus wants to be told about them; joints in degrees, or else from -100 to 100."""
        body = MotorNormMode.DEGREES if in_degrees else MotorNormMode.RANGE_M100_100
        return {
            name: Motor(joint.motor_id, joint.model, MotorNormMode.RANGE_0_100 if joint.is_gripper else body)
            for name, joint in self.joints.items()
        }

    @property
    def endless(self) -> list[str]:
        """Joints without stops."""
        return [name for name, joint in self.joints.items() if joint.is_endless]

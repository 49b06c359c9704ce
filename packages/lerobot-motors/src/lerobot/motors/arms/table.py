"""What one kind of servo arm is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lerobot.motors.motor import Motor, MotorCalibration, MotorNormMode
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
        drive_mode: 1 if it is built in the other way round, so that its direction is reversed.
        homing_offset: its offset, in encoder steps, on an arm that is `aligned`.
        shadow_of: the joint it turns too, facing that joint's own servo; nobody commands it by itself.
        is_wheel: it carries the robot: it turns at a speed and goes to no position.
    """

    motor_id: int
    model: str
    speed_deg_s: float
    is_gripper: bool = False
    is_endless: bool = False
    settings: Mapping[str, int] = field(default_factory=dict)
    calibration_settings: Mapping[str, int] = field(default_factory=dict)
    drive_mode: int = 0
    homing_offset: int = 0
    shadow_of: str | None = None
    is_wheel: bool = False


@dataclass(frozen=True)
class ArmTable:
    """The servos of one kind of arm.

    Attributes:
        bus: class of their bus.
        joints: the joints by name, in the order of the chain.
        aligned: the arm comes assembled with its encoders aligned, so that its calibration is known and nobody sweeps.
    """

    bus: type[SerialMotorsBus]
    joints: Mapping[str, Joint]
    aligned: bool = False

    def motors(self, *, in_degrees: bool) -> dict[str, Motor]:
        """The servos as a bus wants to be told about them; joints in degrees, or else from -100 to 100."""
        body = MotorNormMode.DEGREES if in_degrees else MotorNormMode.RANGE_M100_100
        return {
            name: Motor(joint.motor_id, joint.model, MotorNormMode.RANGE_0_100 if joint.is_gripper else body)
            for name, joint in self.joints.items()
        }

    @property
    def shadows(self) -> dict[str, str]:
        """Second servos of joints: whose joint each turns."""
        return {name: joint.shadow_of for name, joint in self.joints.items() if joint.shadow_of is not None}

    @property
    def wheels(self) -> list[str]:
        """Motors that carry the robot."""
        return [name for name, joint in self.joints.items() if joint.is_wheel]

    @property
    def endless(self) -> list[str]:
        """Joints without stops."""
        return [name for name, joint in self.joints.items() if joint.is_endless]

    @property
    def grippers(self) -> list[str]:
        """Joints that open and close."""
        return [name for name, joint in self.joints.items() if joint.is_gripper]

    @property
    def drive_modes(self) -> dict[str, int]:
        """Direction of each joint."""
        return {name: joint.drive_mode for name, joint in self.joints.items()}

    @property
    def known_calibration(self) -> dict[str, MotorCalibration] | None:
        """The calibration of an arm that is aligned: the whole turn of each joint; None of one that must be swept."""
        if not self.aligned:
            return None
        resolutions = self.bus.model_resolution_table
        return {
            name: MotorCalibration(
                joint.motor_id, joint.drive_mode, joint.homing_offset, 0, resolutions[joint.model] - 1
            )
            for name, joint in self.joints.items()
        }

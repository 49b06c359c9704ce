"""What a CAN motor is."""

from dataclasses import dataclass

from lerobot.motors.motor import Motor, MotorNormMode


@dataclass
class CanMotor(Motor):
    """One motor of a CAN bus; its position is in degrees of its output, from the zero it keeps.

    Attributes:
        id: arbitration id it is commanded with.
        model: name in the table of its protocol, such as `"dm4310"` or `"o2"`.
        norm_mode: unit of its position; always degrees.
        reply_id: arbitration id it answers with.
    """

    norm_mode: MotorNormMode = MotorNormMode.DEGREES
    reply_id: int = 0


@dataclass(frozen=True, slots=True)
class CanModel:
    """Ends of the scales on which a model packs its quantities; what lies beyond cannot be said in a frame.

    Attributes:
        position: radians, either way.
        velocity: radians per second, either way.
        torque: newton metres, either way.
        no_load_rpm: speed without a load, turns of the output per minute; None if it is not known.
    """

    position: float
    velocity: float
    torque: float
    no_load_rpm: float | None = None

    @property
    def speed(self) -> float:
        """Fastest speed of the output, radians per second: without a load, or else the end of the scale."""
        return self.velocity if self.no_load_rpm is None else self.no_load_rpm * 0.10471975511965977

"""A joint driven by a servo: travel, stops, and moves limited in speed and acceleration."""

import math

STEP_S = 0.002
"""Integration step; a servo's own controller is of that order."""

REST = 0.5
"""Distance from its goal, in encoder steps, at which a joint has arrived."""


class Mechanism:
    """A joint, in encoder steps and seconds.

    Args:
        position: where it starts.
        stops: smallest and largest position, None if it turns freely.
        speed: largest speed of the motor, steps/s.
        acceleration: largest acceleration of the motor, steps/s^2.
    """

    def __init__(self, position: float, stops: tuple[float, float] | None, speed: float, acceleration: float) -> None:
        self.stops = stops
        self.speed = speed
        self.acceleration = acceleration
        self.position = self._limited(position)
        self.velocity = 0.0
        self.blocked = 0
        """1 or -1 while the motor pushes against the upper or lower stop, else 0."""

    def move_by_hand(self, position: float) -> None:
        """Put the joint somewhere, as far as its stops allow."""
        self.position = self._limited(position)
        self.velocity = 0.0

    def release(self) -> None:
        """Take the motor's force away; friction stops the joint at once."""
        self.velocity = 0.0
        self.blocked = 0

    def drive_to(self, goal: float, speed: float, acceleration: float, duration: float) -> None:
        """Move towards `goal` for `duration` seconds."""
        speed, acceleration = self._within(speed, acceleration)
        while duration > 0:
            if self._arrived(goal) or self._stopped_by(goal - self.position):
                return
            step = min(duration, STEP_S)
            duration -= step
            distance = goal - self.position
            # The speed from which the joint can still stop at its goal.
            wanted = math.copysign(min(speed, math.sqrt(2 * acceleration * abs(distance))), distance)
            self._accelerate(wanted, acceleration, step)
            if abs(distance) <= abs(self.velocity) * step and distance * self.velocity > 0:
                self.position, self.velocity = goal, 0.0

    def drive_at(self, velocity: float, acceleration: float, duration: float) -> None:
        """Turn at `velocity` steps/s for `duration` seconds."""
        speed, acceleration = self._within(abs(velocity), acceleration)
        wanted = math.copysign(speed, velocity) if velocity else 0.0
        while duration > 0:
            if self._stopped_by(wanted) or wanted == self.velocity == 0.0:
                return
            step = min(duration, STEP_S)
            duration -= step
            self._accelerate(wanted, acceleration, step)

    def _within(self, speed: float, acceleration: float) -> tuple[float, float]:
        """Limits in force; zero asks for the motor's own."""
        return min(speed or self.speed, self.speed), min(acceleration or self.acceleration, self.acceleration)

    def _arrived(self, goal: float) -> bool:
        if abs(goal - self.position) > REST or abs(self.velocity) > self.acceleration * STEP_S:
            return False
        self.position, self.velocity, self.blocked = self._limited(goal), 0.0, 0
        return True

    def _stopped_by(self, push: float) -> bool:
        """Whether a stop holds the joint against a push."""
        self.blocked = 0
        if self.stops and push:
            if push > 0 and self.position >= self.stops[1]:
                self.blocked = 1
            elif push < 0 and self.position <= self.stops[0]:
                self.blocked = -1
        if self.blocked:
            self.velocity = 0.0
        return self.blocked != 0

    def _accelerate(self, wanted: float, acceleration: float, step: float) -> None:
        change = acceleration * step
        self.velocity += max(-change, min(change, wanted - self.velocity))
        self.position = self._limited(self.position + self.velocity * step)

    def _limited(self, position: float) -> float:
        return position if self.stops is None else max(self.stops[0], min(self.stops[1], position))


class ShadowMechanism(Mechanism):
    """The joint of another servo, seen from one that faces it: it goes where that one's motor or hand takes it.

    The torque of the second motor is not simulated: a joint stands still while only its shadow pulls.

    Args:
        first: the joint as its own servo sees it.
        own: position, travel and limits of the second servo at power-on.
    """

    def __init__(self, first: Mechanism, own: Mechanism) -> None:
        super().__init__(own.position, own.stops, own.speed, own.acceleration)
        self._first = first
        self._sum = own.position + first.position

    def move_by_hand(self, position: float) -> None:  # noqa: ARG002 (the hand moves the joint at its own servo)
        """See `Mechanism.move_by_hand`."""
        self._follow()

    def release(self) -> None:
        """See `Mechanism.release`."""
        self._follow()

    def drive_to(self, goal: float, speed: float, acceleration: float, duration: float) -> None:  # noqa: ARG002
        """See `Mechanism.drive_to`."""
        self._follow()

    def drive_at(self, velocity: float, acceleration: float, duration: float) -> None:  # noqa: ARG002
        """See `Mechanism.drive_at`."""
        self._follow()

    def _follow(self) -> None:
        self.position = self._sum - self._first.position
        self.velocity = -self._first.velocity
        self.blocked = -self._first.blocked

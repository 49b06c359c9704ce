"""A joint with inertia and friction, in radians."""

STEP_S = 0.001
INERTIA = 0.01
"""kg m2 at the output; with it and the friction below, the gains of OpenArm settle without swinging long."""
FRICTION = 0.5
"""Nm s/rad."""
REST_RAD, REST_SPEED = 1e-4, 1e-3
"""Nearer to where its torques balance, and slower, it has arrived."""


class Joint:
    """A joint that a torque turns; without one, friction stops it at once.

    Args:
        position: where it starts.
        stops: smallest and largest position.
        torque: largest torque of its motor, Nm.
        speed: largest speed of its motor, rad/s.
    """

    def __init__(self, position: float, stops: tuple[float, float], torque: float, speed: float) -> None:
        self.stops = stops
        self._most_torque, self._most_speed = torque, speed
        self.position = self._limited(position)
        self.velocity = 0.0
        self.torque = 0.0

    def move_by_hand(self, position: float) -> None:
        """Put it somewhere, as far as its stops allow."""
        self.position = self._limited(position)
        self.velocity = 0.0

    def release(self) -> None:
        """Take the torque away."""
        self.velocity = self.torque = 0.0

    def pull(self, goal: float, kp: float, kd: float, feedforward: float, duration: float) -> None:
        """Pull it to a goal as a spring and a damper for some seconds."""
        while duration > 0:
            step = min(duration, STEP_S)
            duration -= step
            wanted = kp * (goal - self.position) - kd * self.velocity + feedforward
            self.torque = max(-self._most_torque, min(self._most_torque, wanted))
            if abs(wanted) < kp * REST_RAD and abs(self.velocity) < REST_SPEED:
                self.velocity = 0.0
                return
            velocity = self.velocity + (self.torque - FRICTION * self.velocity) / INERTIA * step
            self.velocity = max(-self._most_speed, min(self._most_speed, velocity))
            before, moved = self.position, self.position + self.velocity * step
            self.position = self._limited(moved)
            if self.position != moved:
                self.velocity = 0.0
                if self.position == before:
                    return

    def go(self, goal: float, speed: float, duration: float) -> None:
        """Turn it to a goal at a speed, as stiff as can be, for some seconds."""
        reach = min(speed, self._most_speed) * duration
        moved = self._limited(self.position + max(-reach, min(reach, goal - self.position)))
        self.velocity = (moved - self.position) / duration if duration > 0 else 0.0
        self.position, self.torque = moved, 0.0

    def _limited(self, position: float) -> float:
        return max(self.stops[0], min(self.stops[1], position))

"""From the poses of a browser to one pose that goes on from where it was, each time the person takes hold."""

from dataclasses import dataclass

import numpy as np

from lerobot.phone.messages import PoseMessage
from lerobot.phone.rotations import Vector, from_quaternion, from_vector, to_vector

TO_ROBOT = np.array([[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""From WebXR's frame (x to the right, y up, z back) to x forward, y to the left, z up."""

LARGEST_STEP_M = 0.05
LARGEST_TURN_RAD = np.radians(35.0)
"""No hand moves a phone so far between two messages: tracking jumped."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a phone is and what is pressed.

    Attributes:
        position: `(3,)` metres; x forward, y to the left, z up.
        rotation: `(3, 3)`.
        enabled: whether the arm shall follow.
        inputs: buttons and sliders by name.
    """

    position: Vector
    rotation: Vector
    enabled: bool
    inputs: dict[str, float]


class PoseTracker:
    """Adds up what the phone does while the person holds the clutch.

    While nobody holds it, the pose stays. Taking hold begins a motion from where the pose is. A phone that jumped, lost
    its tracking or fell silent is followed again only when the person lets go and takes hold anew.

    The first hold calibrates: where the top of the flat phone, or the back of the upright one, then points is forward.

    Args:
        max_gap_s: longest time between two messages of one motion, seconds.
    """

    def __init__(self, max_gap_s: float) -> None:
        self._max_gap_s = max_gap_s
        self._position, self._rotation = np.zeros(3), np.eye(3)
        self._origin: tuple[Vector, Vector] = self._position, self._rotation
        """The pose at which the motion began."""
        self._reference: tuple[Vector, Vector] | None = None
        """Where the phone was then; None while nobody holds it."""
        self._last: tuple[Vector, Vector] | None = None
        self._arrived_s = -np.inf
        self._blocked = True
        self._to_forward: Vector | None = None
        """From the frame of the page to one whose x is forward; None before the first hold."""

    @property
    def follows(self) -> bool:
        """Whether a motion is going on."""
        return self._reference is not None

    def lose(self) -> None:
        """Tracking is lost, or another page begins: what comes next is no motion from what came before."""
        self._reference = self._last = None
        self._blocked = True

    def update(self, message: PoseMessage, arrived_s: float) -> Reading:
        """Follow a message.

        Args:
            message: what the page said.
            arrived_s: when, on the monotonic clock in seconds.
        """
        here = self._seen(message)
        if message.move and (arrived_s - self._arrived_s > self._max_gap_s or self._jumped(here)):
            self.lose()
        if not message.move:
            self._blocked = False
        self._arrived_s, self._last = arrived_s, here
        enabled = message.move and not self._blocked
        if enabled and self._to_forward is None:
            self._to_forward = _to_forward(here[1])
            here = self._last = self._seen(message)
        if not enabled:
            self._reference = None
        elif self._reference is None:
            self._reference, self._origin = here, (self._position, self._rotation)
        else:
            moved = here[0] - self._reference[0]
            turned = to_vector(here[1] @ self._reference[1].T)
            self._position = self._origin[0] + message.scale * moved
            self._rotation = from_vector(min(message.scale, 1.0) * turned) @ self._origin[1]
        inputs = {"move": float(message.move), "scale": message.scale}
        buttons = {name: float(pressed) for name, pressed in message.buttons.items()}
        return Reading(self._position, self._rotation, enabled, inputs | buttons)

    def _seen(self, message: PoseMessage) -> tuple[Vector, Vector]:
        to_robot = TO_ROBOT if self._to_forward is None else self._to_forward @ TO_ROBOT
        return to_robot @ message.position, to_robot @ from_quaternion(message.quaternion) @ to_robot.T

    def _jumped(self, here: tuple[Vector, Vector]) -> bool:
        if self._last is None:
            return False
        moved = np.linalg.norm(here[0] - self._last[0])
        turned = np.linalg.norm(to_vector(here[1] @ self._last[1].T))
        return bool(moved > LARGEST_STEP_M or turned > LARGEST_TURN_RAD)


def _to_forward(rotation: Vector) -> Vector:
    """The turn about the vertical that makes forward x: the back of an upright phone, the top of a flat one."""
    x, y, _ = rotation[:, 0] + rotation[:, 2]
    return from_vector(np.array([0.0, 0.0, -np.arctan2(y, x)]))

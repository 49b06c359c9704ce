"""The angle of a magnet over two Hall sensors, whose readings trace an ellipse while it turns.

Source:
    Halir and Flusser 1998, Numerically stable direct least squares fitting of ellipses.
    huggingface/lerobot 0.6.1: what a calibration holds, and the sign of the angle.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lerobot.core.errors import CalibrationError

ADC_MAX = 4095
ADC_HALF = ADC_MAX / 2
LONGEST = 5.0
"""How many times as long as the other an axis may be; of the sensors' ellipses they are nearly equal."""
KEPT = 0.95
"""Share of the points that lie nearest to the ellipse, which are fitted again: single readings are wrong."""


@dataclass(frozen=True, slots=True)
class JointFit:
    """What turns the two readings of a joint into its angle.

    Attributes:
        center: middle of the ellipse, from the middle of the converter's range; steps.
        transform: `(2, 2)`, makes the ellipse a unit circle.
        zero_offset: angle on the circle in the zero pose, radians.
    """

    center: tuple[float, float]
    transform: tuple[tuple[float, float], tuple[float, float]]
    zero_offset: float = 0.0

    def on_circle(self, sine: float, cosine: float) -> float:
        """The angle on the circle for two readings, radians."""
        x, y = cosine - ADC_HALF - self.center[0], sine - ADC_HALF - self.center[1]
        (a, b), (c, d) = self.transform
        return math.atan2(c * x + d * y, a * x + b * y)

    def angle(self, sine: float, cosine: float) -> float:
        """The angle of the joint for two readings, -pi to pi radians."""
        turned = self.zero_offset - self.on_circle(sine, cosine)
        return math.atan2(math.sin(turned), math.cos(turned))


def fit_ellipse(points: ArrayLike) -> JointFit:
    """Find the ellipse nearest to points.

    Args:
        points: `(n, 2)` readings of cosine and sine, steps of the converter.

    Raises:
        CalibrationError: the points lie on no ellipse.
    """
    centred = np.asarray(points, dtype=float) - ADC_HALF
    first = _nearest(centred)
    (ax, ay), transform = first.center, np.array(first.transform)
    off = np.abs(np.hypot(*(transform @ (centred - (ax, ay)).T)) - 1)
    return _nearest(centred[off <= np.quantile(off, KEPT)])


def _nearest(points: NDArray[np.float64]) -> JointFit:
    none = CalibrationError("the readings lie on no ellipse.", expected="a joint that is turned to and fro")
    scale = np.abs(points).max() or 1.0
    conic = _conic(points / scale)
    if conic is None:
        raise none
    a, b, c, d, e, f = conic
    # The conic is p' matrix p + 2 vector' p + f = 0.
    matrix, vector = np.array([[a, b / 2], [b / 2, c]]), np.array([d, e]) / 2
    center = -np.linalg.solve(matrix, vector)
    values, axes = np.linalg.eigh(matrix / -(f + vector @ center))
    if not 0 < values[1] < LONGEST**2 * values[0]:
        raise none
    # The longer axis comes first, and the axes turn right-handed, so that angles keep their direction.
    if np.linalg.det(axes) < 0:
        axes[:, 1] = -axes[:, 1]
    transform = np.diag(np.sqrt(values) / scale) @ axes.T
    x, y = (float(each) for each in center * scale)
    (t00, t01), (t10, t11) = ((float(each) for each in row) for row in transform)
    return JointFit((x, y), ((t00, t01), (t10, t11)))


def _conic(points: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Coefficients of the ellipse a x2 + b xy + c y2 + d x + e y + f = 0; None if the points have none."""
    x, y = points.T
    quadratic = np.column_stack([x * x, x * y, y * y])
    linear = np.column_stack([x, y, np.ones_like(x)])
    try:
        back = -np.linalg.solve(linear.T @ linear, linear.T @ quadratic)
        reduced = quadratic.T @ quadratic + quadratic.T @ linear @ back
        _, vectors = np.linalg.eig(np.array([reduced[2] / 2, -reduced[1], reduced[0] / 2]))
    except np.linalg.LinAlgError:
        return None
    real = np.real(vectors)
    # Of an ellipse 4ac - b2 is positive; among the three solutions one at most is.
    is_ellipse = 4 * real[0] * real[2] - real[1] ** 2
    best = int(np.argmax(is_ellipse))
    if not is_ellipse[best] > 1e-9:
        return None
    found = np.concatenate([real[:, best], back @ real[:, best]])
    return found if found[0] > 0 else -found


def mean_angle(angles: Sequence[float]) -> float:
    """The mean of angles, radians, which may lie on both sides of pi."""
    return math.atan2(sum(map(math.sin, angles)), sum(map(math.cos, angles)))

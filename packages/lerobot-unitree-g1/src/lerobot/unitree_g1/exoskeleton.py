"""One arm of the exoskeleton: a serial line of Hall sensors, and the stick in its hand."""

import time
from pathlib import Path

from lerobot.core.errors import CalibrationError
from lerobot.core.prompts import Prompter
from lerobot.motors.serial.integer_lines import IntegerLines
from lerobot.unitree_g1.calibration import RECALIBRATE, SENSORS, load_calibration, save_calibration
from lerobot.unitree_g1.config import ExoskeletonPort
from lerobot.unitree_g1.ellipse import ADC_HALF, JointFit, fit_ellipse, mean_angle

FIELDS = 16
"""Integers of a line that count."""
STICK_X, BUTTON, STICK_Y = 11, 12, 13
"""Where the stick stands in a line; its button pulls the reading down."""

FIRST_LINE_S = 2.0
"""How long the arm may take to print after its port was opened."""
MAX_AGE_S = 0.5
"""Age at which a line is no command any more."""
PERIOD_S = 0.02
SMALLEST_FIT = 60
"""Points that an ellipse is fitted to at least."""
SMALLEST_ARC = 1.5
"""Radians that a joint has to be turned; less gives no ellipse that could be trusted."""
ZERO_LINES = 50
"""Lines over which the zero pose is averaged."""


class ExoskeletonArm:
    """An arm.

    Args:
        side: `"left"` or `"right"`.
        port: where it is plugged in.
        path: its calibration file.

    Attributes:
        fits: what turns readings into angles, by joint; empty if there is no calibration.
    """

    def __init__(self, side: str, port: ExoskeletonPort, path: Path) -> None:
        self.side = side
        self.fits: dict[str, JointFit] = {}
        self._path = path
        self._lines = IntegerLines(port.port, port.baud_rate, FIELDS, or_more=True)
        self._newest: tuple[int, ...] = ()
        self._stick_center: tuple[int, int] | None = None
        self._unreadable: CalibrationError | None = None
        if path.is_file():
            try:
                self.fits = load_calibration(path, side)
            except CalibrationError as error:
                # A file that cannot be used must not prevent a new calibration.
                self._unreadable = error

    def open(self) -> None:
        """Open the port; the stick is taken to be at rest.

        Raises:
            DeviceConnectionError: the port cannot be opened.
            DeviceTimeoutError: nothing is printed.
        """
        self._lines.open()
        self._lines.wait_for_next(FIRST_LINE_S)
        line = self.read()
        # A hand without a stick leaves the line of the button low.
        self._stick_center = (line[STICK_X], line[STICK_Y]) if line[BUTTON] > ADC_HALF else None

    def require_readable(self) -> None:
        """Check that a calibration file, if there is one, could be read.

        Raises:
            CalibrationError: it could not.
        """
        if self._unreadable is not None:
            raise self._unreadable

    def close(self) -> None:
        """Close the port; may be called in any state."""
        self._lines.close()

    def read(self) -> tuple[int, ...]:
        """The newest line.

        Raises:
            DeviceTimeoutError: it is older than half a second.
            DeviceConnectionError: the port was lost.
        """
        if lines := self._lines.take(MAX_AGE_S):
            self._newest = lines[-1]
        return self._newest

    def angles(self, line: tuple[int, ...]) -> dict[str, float]:
        """Angles of the joints in a line, radians.

        Raises:
            CalibrationError: there is no calibration.
        """
        if not self.fits:
            raise CalibrationError(f"the {self.side} arm of the exoskeleton is not calibrated.", hint=RECALIBRATE)
        return {name: self.fits[name].angle(line[sine], line[cosine]) for name, (sine, cosine) in SENSORS.items()}

    def stick(self, line: tuple[int, ...]) -> tuple[float, float]:
        """How far the stick is pushed in a line, x and y, -1 to 1; nowhere if there is none."""
        if self._stick_center is None:
            return 0.0, 0.0
        x, y = (line[STICK_X] - self._stick_center[0], line[STICK_Y] - self._stick_center[1])
        return min(max(x / ADC_HALF, -1.0), 1.0), min(max(y / ADC_HALF, -1.0), 1.0)

    # --- calibration -------------------------------------------------------------------------------------------------

    def calibrate(self, prompter: Prompter) -> None:
        """Find the ellipse and the zero of every joint, one after the other, and save them.

        Raises:
            CalibrationError: a joint was not turned far enough; nothing was saved.
        """
        fits = {name: self._calibrated(name, prompter) for name in SENSORS}
        save_calibration(self._path, self.side, fits)
        self.fits, self._unreadable = fits, None
        prompter.say(f"Calibration saved to {self._path}")

    def _calibrated(self, name: str, prompter: Prompter) -> JointFit:
        what = f"{name} of the {self.side} arm"
        sine, cosine = SENSORS[name]
        prompter.ask(f"Press ENTER, then turn {what} to and fro as far as it goes....")
        prompter.say(f"Turn {what}. Press ENTER to stop...")
        self._lines.wait_for_next(MAX_AGE_S)
        points: list[tuple[int, int]] = []
        is_done = False
        while not is_done or len(points) < SMALLEST_FIT:
            time.sleep(PERIOD_S)
            points += [(line[cosine], line[sine]) for line in self._lines.take(MAX_AGE_S)]
            is_done = is_done or prompter.pressed_enter()
        fit = self._fitted(what, points)
        prompter.ask(f"Hold {what} in its zero pose and press ENTER....")
        self._lines.wait_for_next(MAX_AGE_S)
        held: list[float] = []
        while len(held) < ZERO_LINES:
            held += [fit.on_circle(line[sine], line[cosine]) for line in self._lines.take(MAX_AGE_S)]
            time.sleep(PERIOD_S)
        return JointFit(fit.center, fit.transform, mean_angle(held))

    def _fitted(self, what: str, points: list[tuple[int, int]]) -> JointFit:
        again = "Calibrate again and turn every joint as far as it goes."
        try:
            fit = fit_ellipse(points)
        except CalibrationError as error:
            raise CalibrationError(f"{what}: {error.what}", expected=error.expected, hint=again) from error
        middle = mean_angle([fit.on_circle(y, x) for x, y in points])
        off = [JointFit(fit.center, fit.transform, middle).angle(y, x) for x, y in points]
        if max(off) - min(off) < SMALLEST_ARC:
            raise CalibrationError(
                f"{what} was turned by {max(off) - min(off):.2f} radians only.",
                expected=f"at least {SMALLEST_ARC:g}",
                hint=again,
            )
        return fit

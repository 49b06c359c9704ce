"""A virtual LeKiwi."""

from lerobot.feetech.virtual.arms import assembled
from lerobot.lekiwi.tables import LEKIWI
from lerobot.motors.virtual.line_spec import LineSpec


def lekiwi() -> LineSpec:
    """A virtual LeKiwi, as it leaves the workbench: assembled, not calibrated; the wheels turn freely."""
    return assembled(LEKIWI, "arm_")

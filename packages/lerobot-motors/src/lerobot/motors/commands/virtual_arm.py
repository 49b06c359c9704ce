"""`lerobot virtual-arm`: servos to try every command on, without hardware."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lerobot.core.config import CommandConfig, Installed, Positional


class VirtualArmConfig(CommandConfig):
    """Run an arm of virtual servos that answer like real ones on a serial port."""

    target: ClassVar[str] = "lerobot.motors.virtual.command:virtual_arm"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot virtual-arm so101 --port-file=/tmp/follower",
        "lerobot virtual-arm so101 --port-file=/tmp/leader --motion=sway",
        'lerobot virtual-arm so101 --faults="{elbow_flex: missing, gripper: corrupt=0.1}"',
    )

    arm: Annotated[str, Installed("virtual_arm"), Positional()] = Field(
        description="Which arm of the installed packages, such as so101; sts3215 and xl330-m288 are one new motor."
    )
    port_file: Path | None = Field(
        default=None, description="File that holds the name of the port while the arm runs, for scripts."
    )
    calibration: Path | None = Field(
        default=None, description="Calibration file the servos hold from the beginning, which also sets their travel."
    )
    motion: Literal["still", "sway"] = Field(
        default="still", description="Whether an invisible hand sways the joints whose torque is off."
    )
    faults: dict[str, str] = Field(
        default={},
        description="Fault by joint, with a value if wanted: missing, duplicate_id, wrong_baud_rate, corrupt=0.05, "
        "late=0.1, overload, low_voltage, dead, wrong_firmware or wrong_model.",
    )
    seed: int = Field(default=0, description="Seed of random damage.")

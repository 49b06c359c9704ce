"""`lerobot virtual-arm`: servos to try every command on, without hardware."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from lerobot.core.config import CommandConfig, Installed, Positional


class VirtualArmConfig(CommandConfig):
    """Run an arm of virtual motors that answer like real ones on a serial port."""

    target: ClassVar[str] = "lerobot.motors.virtual.command:virtual_arm"
    examples: ClassVar[tuple[str, ...]] = (
        "lerobot virtual-arm so101 --port-file=/tmp/follower",
        "lerobot virtual-arm so101 --port-file=/tmp/leader --motion=sway",
        'lerobot virtual-arm so101 --faults="{elbow_flex: missing, gripper: corrupt=0.1}"',
        "lerobot virtual-arm so101 --port-file=/tmp/follower --new",
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
        "lost=0.05, late=0.1, overload, low_voltage, dead, wrong_firmware or wrong_model.",
    )
    new: bool = Field(
        default=False,
        description="Its motors come from the factory, all with one id: one is plugged in at a time, the last of the "
        "chain first, until setup-motors has given it its own.",
    )
    seed: int = Field(default=0, description="Seed of random damage.")

    @field_validator("faults", mode="after")
    @classmethod
    def _split(cls, faults: dict[str, str]) -> dict[str, str]:
        """YAML wants a blank after the colon; `{gripper:missing}` is one key without a value."""
        pairs = [(joint, fault) if fault else joint.partition(":")[::2] for joint, fault in faults.items()]
        if bare := [joint for joint, fault in pairs if not fault]:
            raise ValueError(f"JOINT: FAULT for each, such as {{{bare[0]}: missing}}")
        return {joint.strip(): fault.strip() for joint, fault in pairs}

    @model_validator(mode="after")
    def _new_motors_hold_nothing(self) -> Self:
        if self.new and (self.calibration is not None or self.faults or self.motion != "still"):
            raise ValueError("--new alone: motors from the factory hold no calibration, move nothing and are sound")
        return self

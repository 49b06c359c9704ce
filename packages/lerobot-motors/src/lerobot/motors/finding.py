"""What an examination of motors found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        cause: `"port"`, `"cable"`, `"missing"`, `"wrong_baud_rate"`, `"late"`, `"duplicate_id"`, `"corrupt"`,
            `"wrong_model"`, `"wrong_firmware"`, `"overload"`, `"low_voltage"`, `"dead"` or `"overheating"`;
            `"calibration"` from a device whose motors are sound.
        motor: name of the motor; empty if it concerns the whole line.
        place: its place in the chain, from 1; 0 for the whole line.
        what: what was found, with values.
        hint: what to do.
    """

    cause: str
    motor: str
    place: int
    what: str
    hint: str

    def __str__(self) -> str:
        """Two lines for a person."""
        where = f"motor {self.place} ('{self.motor}'): " if self.motor else ""
        return f"{where}{self.what}\n  {self.hint}"

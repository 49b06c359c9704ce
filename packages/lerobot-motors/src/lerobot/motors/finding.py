"""What an examination of motors found."""

from collections.abc import Sequence
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


def whole_line(names: Sequence[str], findings: Sequence[Finding]) -> list[Finding]:
    """Take motors that are silent together for one cause: no power, or a cable.

    Args:
        names: all motors, in the order of the chain.
        findings: what was found of each, in that order.
    """
    silent = [finding.motor for finding in findings if finding.cause == "missing"]
    others = [finding for finding in findings if finding.cause != "missing"]
    if silent == list(names):
        hint = f"Check the power supply of the motors, and the cable from the board to '{names[0]}'."
        return [Finding("cable", "", 0, "no motor answers.", hint), *others]
    if len(silent) > 1 and silent == list(names[-len(silent) :]):
        first = names.index(silent[0])
        what = f"it and every motor behind it are silent ({', '.join(silent)})."
        hint = f"Check the cable between '{names[first - 1]}' and '{silent[0]}'."
        return [*others, Finding("cable", silent[0], first + 1, what, hint)]
    return list(findings)

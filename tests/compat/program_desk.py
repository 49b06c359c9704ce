"""Two calibrated SO-101 arms and a camera, and what stands for them in programs."""

import logging
import runpy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lerobot.motors import MotorCalibration
from lerobot.motors.virtual import VirtualBus

PROGRAMS = Path(__file__).parent / "programs"

CALIBRATION = {
    "shoulder_pan": MotorCalibration(1, 0, 1603, 761, 3280),
    "shoulder_lift": MotorCalibration(2, 0, -1720, 814, 3171),
    "elbow_flex": MotorCalibration(3, 0, -1799, 898, 3113),
    "wrist_flex": MotorCalibration(4, 0, 1156, 746, 3074),
    "wrist_roll": MotorCalibration(5, 0, 98, 0, 4095),
    "gripper": MotorCalibration(6, 0, 990, 2013, 3514),
}


@dataclass
class Desk:
    """Two arms and a camera.

    Attributes:
        follower: the arm that is driven.
        leader: the arm that is moved by hand.
        places: what stands in programs for ports and files.
        folder: where the work is kept.
    """

    follower: VirtualBus
    leader: VirtualBus
    folder: Path
    places: dict[str, str] = field(default_factory=dict)

    def runs(self, name: str) -> dict[str, Any]:
        """Run a program in this process; gives the names it ends with."""
        root = logging.getLogger()
        handlers, level = list(root.handlers), root.level
        try:
            return runpy.run_path(str(self.file(name)), run_name="__main__")
        finally:  # programs set up logging for the whole process
            root.handlers[:] = handlers
            root.setLevel(level)

    def file(self, name: str) -> Path:
        """A program with the places of this desk."""
        text = (PROGRAMS / f"{name}.py").read_text("utf-8")
        for place, value in self.places.items():
            text = text.replace(f'"{place}"', repr(value))
        file = self.folder / f"{name}.py"
        file.write_text(text, "utf-8")
        return file

    @staticmethod
    def moves(arm: VirtualBus, share: float) -> None:
        """Bring every joint to a share of its calibrated travel."""
        arm.move(
            {
                entry.id: entry.range_min + share * (entry.range_max - entry.range_min) + entry.homing_offset
                for entry in CALIBRATION.values()
            }
        )

    @staticmethod
    def measures(arm: VirtualBus) -> dict[str, float]:
        """Where each joint stands, as a share of its calibrated travel."""
        return {
            name: (arm.state(e.id)["Present_Position"] - e.range_min) / (e.range_max - e.range_min)
            for name, e in CALIBRATION.items()
        }

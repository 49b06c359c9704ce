"""Flags of earlier releases of huggingface/lerobot, and of texts about them, that several commands have in common."""

from collections.abc import Mapping
from types import MappingProxyType

DEVICES: Mapping[str, str] = MappingProxyType({"robot_type": "robot.type", "teleop_type": "teleop.type"})
"""Today's flag by the earlier one."""

OFFLINE: Mapping[str, str] = MappingProxyType(
    {"local_files_only": "HF_HUB_OFFLINE=1 before the command: nothing is then asked of the Hub"}
)
CONTROL_MODE: Mapping[str, str] = MappingProxyType(
    {"control_mode": "the command to say it: lerobot teleoperate, record, replay or calibrate, with --teleop.type=NAME"}
)
"""What to write in place of a flag that no flag of today stands for."""

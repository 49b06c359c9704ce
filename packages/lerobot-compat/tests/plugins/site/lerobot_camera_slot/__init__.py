"""A camera that gives its newest picture without waiting for a new one."""

from .camera_slot import Slot
from .config_slot import SlotConfig

__all__ = ["Slot", "SlotConfig"]

"""Safety: the gate every command passes, and the safe end of every run."""

from lerobot.core.safety.config import SafetyConfig
from lerobot.core.safety.gate import SafetyGate, as_number
from lerobot.core.safety.limits import Limit, derive_limits
from lerobot.core.safety.safe_end import Session, safe_end
from lerobot.core.safety.signals import Interrupted, StopSignals

__all__ = [
    "Interrupted",
    "Limit",
    "SafetyConfig",
    "SafetyGate",
    "Session",
    "StopSignals",
    "as_number",
    "derive_limits",
    "safe_end",
]

"""Safety: the gate every command passes, the robot behind it, the latched stop, and the safe end of every run."""

from lerobot.core.deprecation import keep_moved_modules
from lerobot.core.safety.config import SafetyConfig
from lerobot.core.safety.freshness import Freshness, FreshnessMonitor
from lerobot.core.safety.gate import SafetyGate, as_number
from lerobot.core.safety.gated_robot import GatedRobot, SentCommand, check_safety
from lerobot.core.safety.latch import Latch, Stop, stop_latch
from lerobot.core.safety.limits import Limit, derive_limits
from lerobot.core.safety.safe_end import Session, safe_end
from lerobot.core.signals import Interrupted, StopSignals

__all__ = [
    "Freshness",
    "FreshnessMonitor",
    "GatedRobot",
    "Interrupted",
    "Latch",
    "Limit",
    "SafetyConfig",
    "SafetyGate",
    "SentCommand",
    "Session",
    "Stop",
    "StopSignals",
    "as_number",
    "check_safety",
    "derive_limits",
    "safe_end",
    "stop_latch",
]

keep_moved_modules(__name__, {"signals": "lerobot.core.signals"})

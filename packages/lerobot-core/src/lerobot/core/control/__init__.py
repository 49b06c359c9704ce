"""Control: one loop for teleoperation, recording, replay and policies."""

from lerobot.core.control.loop import ActionProcessor, ControlLoop, ObservationProcessor
from lerobot.core.control.source import (
    CallableSource,
    CommandSource,
    SequenceSource,
    TeleoperatorSource,
    TimedCommandSource,
    require_features,
    teleoperation_pipeline,
)
from lerobot.core.control.timing import Distribution, LoopReport, LoopTiming, Quantiles
from lerobot.core.deprecation import keep_moved_modules
from lerobot.core.safety.freshness import Freshness, FreshnessMonitor
from lerobot.core.tick import Sink, Tick

__all__ = [
    "ActionProcessor",
    "CallableSource",
    "CommandSource",
    "ControlLoop",
    "Distribution",
    "Freshness",
    "FreshnessMonitor",
    "LoopReport",
    "LoopTiming",
    "ObservationProcessor",
    "Quantiles",
    "SequenceSource",
    "Sink",
    "TeleoperatorSource",
    "Tick",
    "TimedCommandSource",
    "require_features",
    "teleoperation_pipeline",
]

keep_moved_modules(
    __name__,
    {
        "tick": "lerobot.core.tick",
        "freshness": "lerobot.core.safety.freshness",
        "teleoperate": "lerobot.core.control.command",
    },
)

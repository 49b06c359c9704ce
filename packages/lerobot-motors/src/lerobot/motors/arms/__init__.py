"""Arms that follow and arms that lead, single and in pairs; a plugin adds its table of motors.

- `config`: fields their configurations share
- `arm`: an arm on any bus: connection, calibration file, positions
- `follower`, `leader`: the robot and the teleoperator
- `table`, `servo_arm`: an arm of servos: registers, calibration by a sweep, setting up, diagnosis
- `pair`: two arms as one

Only the configurations are imported with the package; the arms, when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lerobot.motors.arms.config import (
    ArmFields,
    FollowerConfig,
    FollowerFields,
    FollowerPairConfig,
    InDegrees,
    LeaderConfig,
    LeaderPairConfig,
    RetryFields,
    TriggerFields,
    TriggerLeaderConfig,
    TriggerRest,
    UnitFields,
    UnitFollowerFields,
)

if TYPE_CHECKING:
    from lerobot.motors.arms.follower import FollowerArm
    from lerobot.motors.arms.leader import LeaderArm
    from lerobot.motors.arms.pair import FollowerPair, LeaderPair, ServoFollowerPair, ServoLeaderPair
    from lerobot.motors.arms.servo_arm import ServoArm, ServoFollower, ServoLeader, TriggerLeader
    from lerobot.motors.arms.table import ArmTable, Joint

__all__ = [
    "ArmFields",
    "ArmTable",
    "FollowerArm",
    "FollowerConfig",
    "FollowerFields",
    "FollowerPair",
    "FollowerPairConfig",
    "InDegrees",
    "Joint",
    "LeaderArm",
    "LeaderConfig",
    "LeaderPair",
    "LeaderPairConfig",
    "RetryFields",
    "ServoArm",
    "ServoFollower",
    "ServoFollowerPair",
    "ServoLeader",
    "ServoLeaderPair",
    "TriggerFields",
    "TriggerLeader",
    "TriggerLeaderConfig",
    "TriggerRest",
    "UnitFields",
    "UnitFollowerFields",
]

_LATE = {
    "ArmTable": "lerobot.motors.arms.table",
    "FollowerArm": "lerobot.motors.arms.follower",
    "FollowerPair": "lerobot.motors.arms.pair",
    "Joint": "lerobot.motors.arms.table",
    "LeaderArm": "lerobot.motors.arms.leader",
    "LeaderPair": "lerobot.motors.arms.pair",
    "ServoArm": "lerobot.motors.arms.servo_arm",
    "ServoFollower": "lerobot.motors.arms.servo_arm",
    "ServoFollowerPair": "lerobot.motors.arms.pair",
    "ServoLeader": "lerobot.motors.arms.servo_arm",
    "ServoLeaderPair": "lerobot.motors.arms.pair",
    "TriggerLeader": "lerobot.motors.arms.servo_arm",
}


def __getattr__(name: str) -> Any:
    """Import an arm when it is first asked for."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)
